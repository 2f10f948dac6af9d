"""Write the tables and the plot of docs/performance.md.

``python benchmarks/speed/report.py runs/benchmark.json`` prints the tables and draws ``runs/benchmark.png``;
``--document docs/performance.md`` also replaces the plot of the document and its tables, between the lines
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

LIVE_FPS = 25


class Rows(NamedTuple):
    """Column titles and rows of a table."""

    titles: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def to_markdown(self) -> str:
        """Format the table for the document."""
        lines = [self.titles, ("---",) * len(self.titles), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "benchmarks", type=Path, nargs="+", help="JSON of pytest-benchmark; a later file replaces results"
    )
    parser.add_argument("--evaluation", type=Path, help="metrics.json of sizes.py, for the cost of lite")
    parser.add_argument("--document", type=Path, help="Markdown file whose tables are replaced")
    options = parser.parse_args()
    results = merge_results([json.loads(path.read_text()) for path in options.benchmarks])
    tables = {name: make(results) for name, make in TABLES.items()}
    if options.evaluation:
        tables["lite"] = lite_table(json.loads(options.evaluation.read_text()))
    tables = {name: table for name, table in tables.items() if table.rows}
    console = Console(width=150)
    console.print(describe_machine(results))
    for name, (titles, rows) in tables.items():
        printed = Table(*titles, title=name)
        for row in rows:
            printed.add_row(*row)
        console.print(printed)
    plot(results, options.benchmarks[0].with_suffix(".png"))
    if options.document:
        parts = {name: table.to_markdown() for name, table in tables.items()}
        replace_parts(options.document, {"machine": describe_machine(results), **parts})
        plot(results, options.document.with_suffix(".png"))


def merge_results(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge the results of several runs; of a benchmark in several, the last counts.

    Raises:
        SystemExit: if they are of different machines.
    """
    if len({describe_machine(part).rpartition(",")[0] for part in parts}) > 1:
        raise SystemExit("results of different machines cannot be compared")
    benchmarks = {run["fullname"]: run for part in parts for run in part["benchmarks"]}
    return parts[-1] | {"benchmarks": list(benchmarks.values())}


def describe_machine(results: dict[str, Any]) -> str:
    """Describe the machine and the software in a sentence."""
    info = results["machine_info"]
    return (
        f"{info['cpu']['brand_raw']}, {info['threads']} threads, {', '.join(info['instructions'])}, "
        f"PyTorch {info['torch']}, Python {info['python_version']}, {results['datetime'][:10]}."
    )


def select_runs(results: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the extra information and the median in seconds of each run of a benchmark."""
    return [
        {**run["extra_info"], "seconds": run["stats"]["median"]}
        for run in results["benchmarks"]
        if run["name"].partition("[")[0] == f"test_{name}"
    ]


def select_steps(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs of training steps with their title, those of one case together."""
    steps = select_runs(results, "step")
    cases = list(dict.fromkeys(run["case"] for run in steps))
    for run in steps:
        run["title"] = f"{run['case']}, {'FACEGAN' if run['implementation'] == 'facegan' else 'reference'}"
    return sorted(steps, key=lambda run: cases.index(run["case"]))


def select_references(steps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the run of the reference for each case."""
    return {run["case"]: run for run in steps if run["implementation"] == "reference"}


def training_table(results: dict[str, Any]) -> Rows:
    """Compare training steps with the reference."""
    titles = ("step", "size", "precision", "images per second", "speedup", "memory", "loss difference")
    steps = select_steps(results)
    references = select_references(steps)
    rows = []
    for run in steps:
        reference = references[run["case"]]
        is_reference = run is reference
        rows.append(
            (
                *(run["title"], f"{run['size']} px", run["precision"], f"{1 / run['seconds']:.2f}"),
                "1" if is_reference else f"{reference['seconds'] / run['seconds']:.2f}",
                f"{run['memory'] / 1000:.1f} GB",
                "" if is_reference else f"{loss_difference(run['losses'], reference['losses']):.1e}",
            )
        )
    return Rows(titles, rows)


def loss_difference(losses: list[dict[str, float]], reference: list[dict[str, float]]) -> float:
    """Return the largest relative difference of a loss."""
    return max(
        abs(step[name] / expected[name] - 1)
        for step, expected in zip(losses, reference, strict=True)
        for name in step
    )


def profile_table(results: dict[str, Any]) -> Rows:
    """Show the time of a step by kind of operation."""
    steps = select_steps(results)
    kinds = list(steps[0]["profile"]) if steps else []
    rows = [
        (run["title"], run["precision"], *(f"{1000 * run['profile'][kind]:.0f}" for kind in kinds))
        for run in steps
    ]
    return Rows(("ms per step", "precision", *kinds), rows)


def ceiling_table(results: dict[str, Any]) -> Rows:
    """Compare the arithmetic rate of steps with that of a large matrix product."""
    titles = ("", "GFLOP of the reference step", "GFLOP per second", "relative to the matrix product")
    products = select_runs(results, "matrix_product")
    rates = {run["precision"]: run["operations"] / run["seconds"] for run in products}
    rows = [
        (f"matrix product of 4096, {precision}", "", f"{rate / 1e9:.0f}", "100 %")
        for precision, rate in rates.items()
    ]
    steps = select_steps(results)
    references = select_references(steps)
    for run in steps:
        operations = references[run["case"]]["operations"]
        rate = operations / run["seconds"]
        share = f"{100 * rate / rates[run['precision']]:.0f} %"
        title = f"{run['title']}, {run['precision']}"
        rows.append((title, f"{operations / 1e9:.0f}", f"{rate / 1e9:.0f}", share))
    return Rows(titles, rows)


def memory_table(results: dict[str, Any]) -> Rows:
    """Compare memory and time with kept and recomputed activations."""
    rows = [
        (
            *(run["case"], f"{run['size']} px, batch {run['batch']}"),
            *("recomputed" if run["recomputed"] else "kept", f"{run['memory'] / 1000:.1f} GB"),
            f"{run['seconds']:.1f}",
        )
        for run in select_runs(results, "checkpoint_activations")
    ]
    return Rows(("step", "size", "activations", "memory", "seconds per step"), rows)


def reenactment_table(results: dict[str, Any], benchmark: str = "video") -> Rows:
    """Show frames per second."""
    rows = [
        (run["model"], run["engine"], f"{run['size']} px", f"{run['frames'] / run['seconds']:.1f}")
        for run in select_runs(results, benchmark)
    ]
    return Rows(("model", "engine", "size", "frames per second"), rows)


def live_table(results: dict[str, Any]) -> Rows:
    """Show frames per second of the web page's live mode."""
    return reenactment_table(results, "live")


def startup_table(results: dict[str, Any]) -> Rows:
    """Show the duration of commands."""
    rows = [
        (run["command"], run.get("model", ""), f"{run['seconds']:.2f}")
        for name in ("help", "image")
        for run in select_runs(results, name)
    ]
    return Rows(("command", "model", "seconds"), rows)


def data_table(results: dict[str, Any]) -> Rows:
    """Show the throughput of preparation, evaluation and reading."""
    videos, faces, evaluations, reads = (
        select_runs(results, name) for name in ("prepare_videos", "prepare_faces", "evaluate", "read_pairs")
    )
    titled = [(f"prepare {run['videos']} videos of {run['frames']} frames", "crops", run) for run in videos]
    titled += [
        (f"prepare {run['crops'] // run['faces']} frames, faces per frame: {run['faces']}", "crops", run)
        for run in faces
    ]
    titled += [(f"evaluate {run['pairs']} pairs in four protocols", "pairs", run) for run in evaluations]
    titled += [(f"read pairs of {run['size']} px", "pairs", run) for run in reads]
    rows = [
        (title, str(run["workers"]), f"{run['seconds']:.1f}", f"{run[unit] / run['seconds']:.1f} {unit}")
        for title, unit, run in titled
    ]
    return Rows(("", "workers", "seconds", "per second"), rows)


def lite_table(evaluation: dict[str, Any]) -> Rows:
    """Compare models and baselines in the paper's metrics, with 95 % intervals."""
    protocols = evaluation["protocols"]
    metrics = {name: protocols[protocol]["metrics"][metric] for name, (protocol, metric) in TABLE.items()}
    titles = ("", *(f"{METRICS[name].label} {METRICS[name].arrow}" for name in metrics))
    rows = [
        (method, *(_format_interval(name, values.get(method)) for name, values in metrics.items()))
        for method in metrics["csim"]
    ]
    return Rows(titles, rows)


def _format_interval(metric: str, entry: dict[str, float] | None) -> str:
    if entry is None:
        return ""
    mean, low, high = (METRICS[metric].format(entry[key]) for key in ("mean", "ci_low", "ci_high"))
    return f"{mean} ({low} to {high})"


TABLES = {
    "training": training_table,
    "profile": profile_table,
    "ceiling": ceiling_table,
    "memory": memory_table,
    "reenactment": reenactment_table,
    "live": live_table,
    "startup": startup_table,
    "data": data_table,
}
"""Name of a table, as in the document, to what makes it."""


def replace_parts(document: Path, parts: dict[str, str]) -> None:
    """Replace parts of a document between ``<!-- NAME -->`` and ``<!-- end -->``."""
    text = document.read_text()
    for name, part in parts.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", rf"\g<1>{part}\n\g<2>", text, flags=re.DOTALL)
    document.write_text(text)


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw the speedup of training steps, and the frames per second of reenacted videos."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    steps = select_steps(results)
    references = select_references(steps)
    for offset, precision in ((-0.2, "f32"), (0.2, "bf16")):
        runs = [run for run in steps if run["implementation"] == "facegan" and run["precision"] == precision]
        places = [list(references).index(run["case"]) + offset for run in runs]
        speedups = [references[run["case"]]["seconds"] / run["seconds"] for run in runs]
        left.bar(places, speedups, 0.38, label=precision)
    left.axhline(1, color="gray", linewidth=1)
    left.set_xticks(range(len(references)), [case.replace(", ", ",\n") for case in references])
    left.set_title("training: speedup over the reference step")
    left.legend()
    videos = select_runs(results, "video")
    labels = [f"{run['model']}, {run['engine']}" for run in videos]
    right.barh(labels, [run["frames"] / run["seconds"] for run in videos])
    right.axvline(LIVE_FPS, color="gray", linewidth=1)
    right.invert_yaxis()
    right.set_title(f"reenactment at 256 px: frames per second, line at {LIVE_FPS}")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    main()
