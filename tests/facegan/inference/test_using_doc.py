"""What docs/using.md shows can be run."""

import re
from pathlib import Path

from PIL import Image

TEXT = (Path(__file__).parents[3] / "docs/using.md").read_text()


def test_the_example_in_python(animator, photograph, heads, make_video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    animator.engine.model.save_pretrained("runs/model")
    Image.fromarray(photograph).save("me.jpg")
    make_video("clip.mp4", heads[:4])
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(code, names)  # the document's own words
    assert names["pixels"].shape == (64, 64, 3)
    assert Path("moved.mp4").is_file()
    assert Image.open("smile.png").size == (64, 64)
