"""``facegan pairs``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def pairs(
    *,
    data: str,
    out: Path,
    pairs: int = 200,
    protocols: list[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """Write the pairs that facegan evaluate selects with their images, for other programs.

    Such a program reenacts PROTOCOL/source/000000.png with PROTOCOL/driving/000000.png, and writes
    PROTOCOL/000000.png and so on into a folder for facegan evaluate --predictions.

    Example:
        facegan pairs --data data/mine/prepared --out runs/pairs

    Args:
        data: folder that facegan prepare wrote; its test split is used.
        out: folder for pairs.parquet and the images.
        pairs: number of pairs of each protocol.
        protocols: some of self, cross, lsim, video; by default all.
        seed: of the selection.
        overwrite: replace OUT.
    """
    from facegan.evaluation import export_pairs

    counts = export_pairs(data, out, pairs=pairs, protocols=protocols, seed=seed, overwrite=overwrite)
    echo(f"{', '.join(f'{count} {protocol}' for protocol, count in counts.items())}: {out}")
