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
    """The pairs that facegan evaluate would choose, with their pictures, for programs to be compared.

    Such a program moves PROTOCOL/source/000000.png as PROTOCOL/driver/000000.png shows, and writes
    PROTOCOL/000000.png and so on into a folder for facegan evaluate --predictions.

    Example:
        facegan pairs --data data/mine/prepared --out runs/pairs

    Args:
        data: folder that facegan prepare wrote; its test split is used.
        out: folder for pairs.parquet and the pictures.
        pairs: pairs of each protocol.
        protocols: some of self, cross, lsim, video; by default all.
        seed: of their choice.
        overwrite: replace what lies at OUT.
    """
    from facegan.evaluation import export_pairs

    counts = export_pairs(data, out, pairs=pairs, protocols=protocols, seed=seed, overwrite=overwrite)
    echo(f"{', '.join(f'{count} {protocol}' for protocol, count in counts.items())}: {out}")
