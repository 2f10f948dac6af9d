"""Pairs with their pictures, for programs that shall be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facegan.evaluation.evaluate import PAIRS, choose_trials, people
from facegan.evaluation.evaluation_pairs import ROLES, write_pairs
from facegan.io.atomic import atomic_folder
from facegan.io.images import tensor_to_images

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from facegan.data import FaceCrops


def export_pairs(
    data: Path | str,
    out: Path,
    *,
    pairs: int = 200,
    protocols: Sequence[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> dict[str, int]:
    """Chooses pairs as ``facegan evaluate`` does and writes their pictures.

    ``out`` gets ``pairs.parquet`` and for each protocol ``source/000000.png``, ``driver/000000.png`` and so
    on. A program that is to be measured writes ``PROTOCOL/000000.png`` and so on into a folder of its own.
    ``inputs.parquet`` and ``background/`` are what a model of this package is given besides: landmarks,
    motion, and the source's background where the driver's crop has it.

    Args:
        data: folder that ``facegan prepare`` wrote, or the address of one.
        out: folder for the pictures.
        pairs: pairs of each protocol.
        protocols: some of :data:`PROTOCOLS`; by default all.
        seed: of their choice.
        overwrite: replace earlier pairs at ``out``.

    Returns:
        Protocol to its number of pairs.

    Raises:
        InputError: if the data is not to be used, or ``out`` is in use.
    """
    split, crops = people(data, None, pairs)
    trials, _ = choose_trials(crops, pairs, seed, split, protocols)
    with atomic_folder(out, marker=PAIRS, overwrite=overwrite) as folder:
        write_pairs(folder / PAIRS, crops, trials)
        inputs = []
        for protocol, chosen in trials.items():
            # The expected picture is another one than the driver's there.
            roles = ROLES if protocol == "lsim" else ROLES[:2]
            for role in roles:
                for pair, index in enumerate(getattr(chosen, role)):
                    _write(folder / protocol / role / f"{pair:06d}.png", crops.picture(int(index)))
            for pair, (source, driver) in enumerate(zip(chosen.source, chosen.driver, strict=True)):
                behind = crops.background(int(source), int(driver))[0]
                _write(folder / protocol / "background" / f"{pair:06d}.png", behind)
                inputs.append(_inputs(crops, protocol, pair, int(source), int(driver)))
        pq.write_table(pa.Table.from_pylist(inputs), folder / "inputs.parquet")
    return {protocol: len(chosen.source) for protocol, chosen in trials.items()}


def _inputs(crops: FaceCrops, protocol: str, pair: int, source: int, driver: int) -> dict[str, Any]:
    row: dict[str, Any] = {"protocol": protocol, "pair": pair}
    for role, index in (("source", source), ("driver", driver)):
        row[f"{role}_landmarks"] = crops.landmarks[index].ravel()
        row[f"{role}_motion"] = crops.motion[index]
    return row


def _write(path: Path, picture: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = cv2.cvtColor(tensor_to_images(picture), cv2.COLOR_RGB2BGR)
    path.write_bytes(np.asarray(cv2.imencode(".png", image)[1]).tobytes())
