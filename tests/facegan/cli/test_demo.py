"""The demo itself takes minutes; its command lines are accepted, and it picks portrait and driving video."""

from __future__ import annotations

import numpy as np
import pytest

from facegan.cli import demo, main
from facegan.data import FaceCrops


@pytest.mark.slow
@pytest.mark.parametrize("stage", demo.STAGES)
def test_demo_training_options_are_accepted(stage, tmp_path, monkeypatch, capsys):
    lines = []
    monkeypatch.setattr(demo, "_facegan", lambda *words: lines.append(words))
    demo._fit(stage, tmp_path / "out", tmp_path / "data")
    (line,) = lines
    with pytest.raises(SystemExit) as stopped:
        main([*line, "--print_config"])
    assert not stopped.value.code
    assert f"root: {tmp_path / 'data'}" in capsys.readouterr().out


def test_demo_portrait_is_most_neutral_held_out_frame(prepared, talking_heads):
    source, frame, driving = demo._select_videos(prepared, talking_heads)
    held_out = FaceCrops(prepared, "test")
    norms = np.linalg.norm(held_out.motion, axis=1)
    assert frame == held_out.frame[norms.argmin()]
    assert source == talking_heads / f"{held_out.video[norms.argmin()]}.mp4"
    assert driving != source
