"""Pairs with their pictures, for programs that shall be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.evaluation.evaluate import PAIRS, choose_trials, people
from facegan.evaluation.pairs import write_pairs
from facegan.evaluation.pictures import to_image
from facegan.files import new_folder

if TYPE_CHECKING:
    from pathlib import Path

    from facegan.data import FaceCrops


def export_pairs(
    data: Path, out: Path, *, pairs: int = 200, seed: int = 0, overwrite: bool = False
) -> dict[str, int]:
    """Chooses pairs as ``facegan evaluate`` does and writes their pictures.

    ``out`` gets ``pairs.parquet`` and for each protocol ``source/000000.png``, ``driver/000000.png`` and so
    on. A program that is to be measured writes ``PROTOCOL/000000.png`` and so on into a folder of its own.

    Args:
        data: folder that ``facegan prepare`` wrote.
        out: folder for the pictures.
        pairs: pairs of each protocol.
        seed: of their choice.
        overwrite: replace earlier pairs at ``out``.

    Returns:
        Protocol to its number of pairs.

    Raises:
        InputError: if the data is not to be used, or ``out`` is in use.
    """
    split, crops = people(data, None, pairs)
    trials, _ = choose_trials(crops, pairs, seed, split)
    with new_folder(out, marker=PAIRS, overwrite=overwrite) as folder:
        write_pairs(folder / PAIRS, crops, trials)
        for protocol, chosen in trials.items():
            for role in ("source", "driver"):
                place = folder / protocol / role
                place.mkdir(parents=True)
                for pair, index in enumerate(getattr(chosen, role)):
                    _write(place / f"{pair:06d}.png", crops, int(index))
    return {protocol: len(chosen.source) for protocol, chosen in trials.items()}


def _write(path: Path, crops: FaceCrops, index: int) -> None:
    image = cv2.cvtColor(to_image(crops.picture(index)), cv2.COLOR_RGB2BGR)
    path.write_bytes(np.asarray(cv2.imencode(".png", image)[1]).tobytes())
