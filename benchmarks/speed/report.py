"""One table and one plot of what was measured; and the tables of docs/performance.md.

``python benchmarks/speed/report.py runs/benchmark.json`` prints the table and draws ``runs/benchmark.png``;
``--document docs/performance.md`` also puts the tables and the plot into the document, between the lines
``<!-- NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from rich.console import Console
from rich.table import Table

from facegan.evaluation.tables import TABLE
from facegan.metrics.pair_metrics import METRICS

mpl.use("Agg")
from matplotlib import pyplot as plt


class Rows(NamedTuple):
    """A table."""

    titles: tuple[str, ...]
    rows: list[tuple[str, ...]]


def main() -> None:
    """Prints, draws, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "measured", type=Path, nargs="+", help="JSON of pytest-benchmark; what a later one has again counts"
    )
    parser.add_argument(
        "--evaluation", type=Path, help="metrics.json of facegan evaluate: what the lite sizes cost"
    )
    parser.add_argument("--document", type=Path, help="Markdown whose tables are replaced")
    given = parser.parse_args()
    measured = joined([json.loads(path.read_text()) for path in given.measured])
    tables = {name: make(measured) for name, make in TABLES.items()}
    if given.evaluation:
        tables["lite"] = lite(json.loads(given.evaluation.read_text()))
    console = Console(width=150)
    console.print(machine(measured))
    for name, (titles, rows) in tables.items():
        shown = Table(*titles, title=name)
        for row in rows:
            shown.add_row(*row)
        if rows:
            console.print(shown)
    plot(measured, given.measured[0].with_suffix(".png"))
    if given.document:
        text = given.document.read_text()
        parts = {name: markdown(table) for name, table in tables.items() if table.rows}
        for name, part in {"machine": machine(measured), **parts}.items():
            text = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- end -->)", rf"\g<1>{part}\n\g<2>", text, flags=re.DOTALL
            )
        given.document.write_text(text)
        plot(measured, given.document.with_suffix(".png"))


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Several runs as one.

    Raises:
        SystemExit: if they are of several machines.
    """
    if len({machine(part).rpartition(",")[0] for part in parts}) > 1:
        raise SystemExit("these runs are of several machines: they cannot be compared")
    runs = {run["fullname"]: run for part in parts for run in part["benchmarks"]}
    return parts[-1] | {"benchmarks": list(runs.values())}


def machine(measured: dict[str, Any]) -> str:
    """Where it was measured, in a sentence."""
    info = measured["machine_info"]
    return (
        f"{info['cpu']['brand_raw']}, {info['threads']} threads, {', '.join(info['instructions'])}, "
        f"PyTorch {info['torch']}, Python {info['python_version']}, {measured['datetime'][:10]}."
    )


def runs(measured: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """What one benchmark measured: its own numbers, the median in seconds and the quartiles' distance."""
    return [
        {**run["extra_info"], "seconds": run["stats"]["median"], "spread": run["stats"]["iqr"]}
        for run in measured["benchmarks"]
        if run["name"].partition("[")[0] == f"test_{name}"
    ]


def name(run: dict[str, Any]) -> str:
    """Of a step."""
    return f"{run['case']}, {'FACEGAN' if run['way'] == 'facegan' else 'reference'}"


def training(measured: dict[str, Any]) -> Rows:
    """Steps against the reference."""
    titles = ("step", "size", "precision", "pictures a second", "times the reference", "memory", "losses")
    found = runs(measured, "step")
    reference = {run["case"]: run for run in found if run["way"] == "reference"}
    rows = []
    for run in found:
        plain = reference[run["case"]]
        own = run["way"] == "facegan"
        rows.append(
            (
                name(run),
                f"{run['size']} px",
                run["precision"],
                f"{1 / run['seconds']:.2f}",
                f"{plain['seconds'] / run['seconds']:.2f}" if own else "1",
                f"{run['memory'] / 1000:.1f} GB",
                f"{distance(run['losses'], plain['losses']):.1e}" if own else "",
            )
        )
    rows.sort(key=lambda row: list(reference).index(row[0].rpartition(",")[0]))
    return Rows(titles, rows)


def distance(losses: list[dict[str, float]], others: list[dict[str, float]]) -> float:
    """Largest relative difference of either side's loss."""
    return max(
        abs(one[side] / other[side] - 1) for one, other in zip(losses, others, strict=True) for side in one
    )


def profile(measured: dict[str, Any]) -> Rows:
    """Where a step's time goes."""
    found = runs(measured, "step")
    kinds = list(found[0]["shares"]) if found else []
    rows = [
        (
            name(run),
            run["precision"],
            *(f"{1000 * run['shares'][kind]:.0f}" for kind in kinds),
        )
        for run in found
    ]
    rows.sort(key=lambda row: [run["case"] for run in found].index(row[0].rpartition(",")[0]))
    return Rows(("ms of a step", "precision", *kinds), rows)


def ceiling(measured: dict[str, Any]) -> Rows:
    """How near a step is to the largest rate of matrix products."""
    most = {run["precision"]: run["operations"] / run["seconds"] for run in runs(measured, "matrix_product")}
    found = runs(measured, "step")
    needed = {run["case"]: run["operations"] for run in found if run["way"] == "reference"}
    rows = [
        (f"matrix product of 4096, {precision}", "", f"{rate / 1e9:.0f}", "100 %")
        for precision, rate in most.items()
    ]
    for run in found:
        rate = needed[run["case"]] / run["seconds"]
        rows.append(
            (
                f"{name(run)}, {run['precision']}",
                f"{needed[run['case']] / 1e9:.0f}",
                f"{rate / 1e9:.0f}",
                f"{100 * rate / most[run['precision']]:.0f} %",
            )
        )
    return Rows(("", "GFLOP of the reference's step", "GFLOP a second", "of the matrix product's"), rows)


def memory(measured: dict[str, Any]) -> Rows:
    """What computing activations twice saves and costs."""
    rows = [
        (
            run["case"],
            f"{run['size']} px, batch {run['batch']}",
            "twice" if run["twice"] else "kept",
            f"{run['memory'] / 1000:.1f} GB",
            f"{run['seconds']:.1f}",
        )
        for run in runs(measured, "activations_computed_twice")
    ]
    return Rows(("step", "size", "activations", "memory", "seconds a step"), rows)


def moving(measured: dict[str, Any]) -> Rows:
    """Frames a second of a film."""
    rows = [
        (run["model"], run["engine"], f"{run['size']} px", f"{run['frames'] / run['seconds']:.1f}")
        for run in runs(measured, "film")
    ]
    return Rows(("model", "engine", "size", "frames a second"), rows)


def start(measured: dict[str, Any]) -> Rows:
    """Seconds from typing to the end."""
    rows = [
        (run["command"], run.get("model", ""), f"{run['seconds']:.2f}")
        for name in ("help", "one_picture")
        for run in runs(measured, name)
    ]
    return Rows(("command", "model", "seconds"), rows)


def data(measured: dict[str, Any]) -> Rows:
    """Crops and pairs a second."""
    rows = [
        (
            f"prepare {run['videos']} videos of {run['frames']} frames",
            str(run["workers"]),
            f"{run['seconds']:.1f}",
            f"{run['crops'] / run['seconds']:.1f} crops",
        )
        for run in runs(measured, "preparing")
    ]
    rows += [
        (
            f"prepare {run['crops'] // run['people']} frames, people in the picture: {run['people']}",
            str(run["workers"]),
            f"{run['seconds']:.1f}",
            f"{run['crops'] / run['seconds']:.1f} crops",
        )
        for run in sorted(runs(measured, "people_in_the_picture"), key=lambda run: run["people"])
    ]
    rows += [
        (
            f"evaluate {run['pairs']} pairs in four protocols",
            str(run["workers"]),
            f"{run['seconds']:.1f}",
            f"{run['pairs'] / run['seconds']:.1f} pairs",
        )
        for run in runs(measured, "evaluating")
    ]
    rows += [
        (
            f"read pairs of {run['size']} px",
            str(run["workers"]),
            "",
            f"{run['pairs'] / run['seconds']:.0f} pairs",
        )
        for run in runs(measured, "reading")
    ]
    return Rows(("", "workers", "seconds", "a second"), rows)


def lite(evaluated: dict[str, Any]) -> Rows:
    """The paper's metrics of several models and of the baselines, with their 95 % intervals."""
    protocols = evaluated["protocols"]
    found = {name: protocols[protocol]["metrics"][metric] for name, (protocol, metric) in TABLE.items()}
    titles = ("", *(f"{METRICS[name].label} {METRICS[name].arrow}" for name in found))
    rows = [
        (method, *(_interval(name, measured.get(method)) for name, measured in found.items()))
        for method in found["csim"]
    ]
    return Rows(titles, rows)


def _interval(metric: str, entry: dict[str, float] | None) -> str:
    if entry is None:
        return ""
    mean, low, high = (METRICS[metric].format(entry[key]) for key in ("mean", "ci_low", "ci_high"))
    return f"{mean} ({low} to {high})"


TABLES = {
    "training": training,
    "profile": profile,
    "ceiling": ceiling,
    "memory": memory,
    "moving": moving,
    "start": start,
    "data": data,
}


def plot(measured: dict[str, Any], path: Path) -> None:
    """Steps as multiples of the reference; frames a second beside what is live."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    steps = runs(measured, "step")
    reference = {run["case"]: run["seconds"] for run in steps if run["way"] == "reference"}
    for offset, precision in ((-0.2, "f32"), (0.2, "bf16")):
        found = [run for run in steps if run["way"] == "facegan" and run["precision"] == precision]
        places = [list(reference).index(run["case"]) + offset for run in found]
        left.bar(places, [reference[run["case"]] / run["seconds"] for run in found], 0.38, label=precision)
    left.axhline(1, color="gray", linewidth=1)
    left.set_xticks(range(len(reference)), [case.replace(", ", ",\n") for case in reference])
    left.set_title("training: times the reference's pictures a second")
    left.legend()
    films = runs(measured, "film")
    right.barh(
        [f"{run['model']}, {run['engine']}" for run in films],
        [run["frames"] / run["seconds"] for run in films],
    )
    right.axvline(25, color="gray", linewidth=1)
    right.invert_yaxis()
    right.set_title("film at 256 px: frames a second, line at 25")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def markdown(table: Rows) -> str:
    """For the document."""
    lines = [table.titles, ("---",) * len(table.titles), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
