"""Run the Python example of docs/using.md."""

import re
from pathlib import Path

from PIL import Image

TEXT = (Path(__file__).parents[3] / "docs/using.md").read_text()


def test_using_page_python_example_runs(animator, photograph, heads, make_video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    animator.engine.model.save_pretrained("runs/model")
    Image.fromarray(photograph).save("me.jpg")
    make_video("clip.mp4", heads[:4])
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(code, names)  # code of the documentation
    assert names["image"].shape == (64, 64, 3)
    assert Path("reenacted.mp4").is_file()
    assert Image.open("smile.png").size == (64, 64)
