"""Evaluation pairs with their images, for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from facegan.data.evaluation_pairs import ROLES, write_pairs
from facegan.evaluation.experiments import PAIRS_FILE
from facegan.evaluation.protocols import select_pairs, select_split
from facegan.io.atomic import atomic_folder
from facegan.io.images import tensor_to_images, write_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
    """Select pairs as :func:`evaluate` does and write their images.

    ``out`` gets ``pairs.parquet`` and for each protocol ``source/000000.png``, ``driving/000000.png`` and so
    on. A program to be evaluated writes ``PROTOCOL/000000.png`` and so on into a folder of its own.
    ``inputs.parquet`` and ``background/`` are the further inputs of a model of this package: landmarks,
    motion parameters, and the source's background aligned to the driving crop.

    Args:
        data: folder that ``facegan prepare`` wrote, or its URI.
        out: folder for the images.
        pairs: number of pairs of each protocol.
        protocols: some of self, cross, lsim, video; by default all.
        seed: of the selection.
        overwrite: replace earlier pairs in ``out``.

    Returns:
        Protocol to its number of pairs.

    Raises:
        InputError: if the data is unusable, or ``out`` is in use.
    """
    split, crops = select_split(data, None, pairs)
    selected, _ = select_pairs(crops, pairs, seed, split, protocols)
    with atomic_folder(out, marker=PAIRS_FILE, overwrite=overwrite) as folder:
        write_pairs(folder / PAIRS_FILE, crops, selected)
        inputs = []
        for protocol, chosen in selected.items():
            # The target image is another one than the driving image there.
            roles = ROLES if protocol == "lsim" else ROLES[:2]
            for role in roles:
                for pair, index in enumerate(getattr(chosen, role)):
                    write_image(folder / protocol / role / f"{pair:06d}.png", crops.image(int(index)))
            for pair, (source, driving) in enumerate(zip(chosen.source, chosen.driving, strict=True)):
                background = tensor_to_images(crops.background(int(source), int(driving))[0])
                write_image(folder / protocol / "background" / f"{pair:06d}.png", background)
                inputs.append(_model_inputs(crops, protocol, pair, int(source), int(driving)))
        pq.write_table(pa.Table.from_pylist(inputs), folder / "inputs.parquet")
    return {protocol: len(chosen.source) for protocol, chosen in selected.items()}


def _model_inputs(crops: FaceCrops, protocol: str, pair: int, source: int, driving: int) -> dict[str, Any]:
    row: dict[str, Any] = {"protocol": protocol, "pair": pair}
    for role, index in (("source", source), ("driving", driving)):
        row[f"{role}_landmarks"] = crops.landmarks[index].ravel()
        row[f"{role}_motion"] = crops.motion[index]
    return row
