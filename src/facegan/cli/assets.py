"""``facegan assets``."""

from __future__ import annotations

from facegan.cli.console import echo


def assets(*, fetch: bool = False, optional: bool = False) -> None:
    """List, download and verify the model files of third parties.

    Example:
        facegan assets --fetch

    Args:
        fetch: Download and verify the files that have no fallback.
        optional: With --fetch, download the others too (1.1 GB).
    """
    from rich.console import Console
    from rich.table import Table

    from facegan.perception import assets as files

    faults = []
    for name, asset in files.ASSETS.items():
        try:
            if fetch and (optional or not asset.optional):
                files.fetch(name)
        except files.AssetError as error:
            if not asset.optional:
                raise
            faults.append(f"{error}; {asset.optional}")
    table = Table()
    for title in ("file", "license", "state", "where"):
        table.add_column(title, overflow="fold")
    for row in files.list_assets():
        table.add_row(*row)
    Console().print(table)
    for fault in faults:
        echo(fault)
