"""Coarse to fine: the global generator first, then the local enhancer around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from tests.facegan.stages.command_lines import CHECKPOINTS, MODEL, callbacks, exact, saved, second_phase
from tests.facegan.stages.mishaps import Recorded, named

from facegan.cli import main

if TYPE_CHECKING:
    from pathlib import Path

COARSE = "generator.coarse."


def test_second_phase_starts_from_the_first_and_holds_it_for_an_epoch(
    prepared: Path, phase_one: Path, tmp_path: Path
) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), *second_phase(phase_one)]
    line += ["--trainer.max_epochs=2", f"{MODEL}freeze_global_epochs=1"]
    assert main([*line, callbacks(CHECKPOINTS, named(Recorded))]) == 0
    weights = [torch.load(tmp_path / f"weights/{batch}.pt", weights_only=True) for batch in (0, 2, 4)]
    (start, _), (held, held_average), (free, _) = weights

    first = torch.load(phase_one, weights_only=True)["state_dict"]
    names = [name for name in start if name.startswith(COARSE)]
    assert names
    for name in names:
        # Its average, as everything that is handed on.
        assert torch.equal(start[name], first[f"average.network.{name.replace(COARSE, 'generator.')}"])
        assert torch.equal(held[name], start[name])
        assert torch.equal(held_average[name], start[name])
    assert any(not torch.equal(free[name], held[name]) for name in names if name.endswith("weight"))
    others = [name for name in start if not name.startswith(COARSE) and name.endswith("weight")]
    assert all(not torch.equal(held[name], start[name]) for name in others)


def test_no_epoch_of_standing_still(prepared: Path, phase_one: Path, tmp_path: Path) -> None:
    line = [
        *exact("2_reenact", prepared, tmp_path),
        *second_phase(phase_one),
        f"{MODEL}freeze_global_epochs=0",
    ]
    assert main(line) == 0
    name = f"network.{COARSE}stem.0.weight"
    first = torch.load(phase_one, weights_only=True)["state_dict"]
    assert not torch.equal(
        saved(tmp_path)["state_dict"][name], first["average.network.generator.stem.0.weight"]
    )


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("generator.width=16", "twice"),
        ("generator.blocks=2", "blocks"),
        ("generator.kind=global", "generator.kind"),
        ("global_checkpoint=nothing.ckpt", "nothing.ckpt does not exist"),
    ],
)
def test_what_does_not_fit_is_told_before_training(
    prepared: Path,
    phase_one: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    reason: str,
) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), *second_phase(phase_one), f"{MODEL}{setting}"]
    assert main(line) == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.rglob("*.ckpt"))
