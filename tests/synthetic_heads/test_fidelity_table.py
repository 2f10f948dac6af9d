import re
import sys

import pytest

from facegan.geometry.motion import ACTION_UNITS
from synthetic_heads import fidelity


def test_the_program_prints_a_markdown_table_of_all_figures(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fidelity", "--identities", "2"])
    assert fidelity.main() == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    rows = {
        first: rest for first, *rest in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    }
    assert set(lines[1]) == {"|", "-"}
    figures = {
        name: [float(cell.removesuffix(" %")) for cell in rest if re.match(r"-?\d", cell)]
        for name, rest in rows.items()
    }
    assert figures["one face found, yaw up to 30°"][0] > 90
    assert figures["landmark error, movements"][0] < 10
    assert figures["correlation, yaw, movements"][0] > 0.9
    assert 0.7 < figures["area under the ROC curve, identity"][0] <= 1
    for unit in ACTION_UNITS:
        pooled, within, _ = figures[f"correlation, {unit} alone"]
        assert -1 <= pooled <= 1
        assert -1 <= within <= 1
    assert figures["correlation, AU12 alone"][1] > 0.9
    assert figures["correlation, AU12 alone"][2] > 0.3


def test_one_person_is_too_few(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fidelity", "--identities", "1"])
    with pytest.raises(SystemExit, match="2"):
        fidelity.main()
    assert "--identities must be 2 or more" in capsys.readouterr().err
