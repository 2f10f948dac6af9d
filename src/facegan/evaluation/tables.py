"""The metrics as CSV, and as the paper's tables in LaTeX."""

from __future__ import annotations

import csv
import io
from typing import Any

from facegan.evaluation.methods import BASELINES
from facegan.metrics.pair_metrics import METRICS

COLUMNS = (
    *("protocol", "metric", "method", "mean", "ci_low", "ci_high"),
    *("mean_detected", "pairs", "undetected"),
)

TABLE = {
    "mse": ("self", "mse"),
    "csim": ("cross", "csim"),
    "psim": ("cross", "psim"),
    "ed": ("cross", "ed"),
    "lsim": ("lsim", "lsim"),
}
"""The paper's columns: protocol and metric of each."""

PAPER = {
    "X2Face": {"mse": 0.018, "csim": 0.564, "psim": 0.659, "ed": 0.025, "lsim": 0.040},
    "FSGAN": {"mse": 0.016, "csim": 0.631, "psim": 0.887, "ed": 0.016, "lsim": 0.035},
    "ICface": {"mse": 0.106, "csim": 0.655, "psim": 0.699, "ed": 0.013, "lsim": 0.039},
    "First Order Motion": {"mse": 0.012, "csim": 0.676, "psim": 0.825, "ed": 0.015, "lsim": 0.035},
    "FACEGAN": {"mse": 0.018, "csim": 0.747, "psim": 0.811, "ed": 0.012, "lsim": 0.021},
    "FACEGAN without L_T": {"mse": 0.015, "csim": 0.623, "psim": 0.885, "ed": 0.014},
}
"""Tables 1 and 2 of Tripathy, Kannala, Rahtu (WACV 2021), of other data and back ends: not comparable."""


def to_csv(protocols: dict[str, Any]) -> str:
    """Format a CSV with a row a protocol, metric and method."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for protocol, summary in protocols.items():
        for metric, methods in summary["metrics"].items():
            for method, entry in methods.items():
                row = {"protocol": protocol, "metric": metric, "method": method, **entry}
                row["undetected"] = summary["undetected"][method]["count"]
                writer.writerow({key: "" if value is None else value for key, value in row.items()})
    return text.getvalue()


def to_latex(protocols: dict[str, Any], methods: list[str]) -> str:
    """Format the paper's Table 2: all methods, the best of several bold, baselines, and the paper's rows."""
    rows = {
        name: {column: _value(protocols, *place, name) for column, place in TABLE.items()} for name in methods
    }
    lines = [
        r"% Needs booktabs. The lower rows are the paper's, of other data and back ends: not comparable.",
        rf"\begin{{tabular}}{{l{'r' * len(TABLE)}}}",
        r"\toprule",
        " & ".join(["", *(_title(column) for column in TABLE)]) + r" \\",
        r"\midrule",
    ]
    compared = {name: row for name, row in rows.items() if name not in BASELINES}
    best = {column: _best(column, compared) for column in TABLE}
    for name, row in rows.items():
        cells = [
            _cell(column, row[column], bold=name in compared and row[column] == best[column])
            for column in TABLE
        ]
        lines.append(" & ".join([_escape(name), *cells]) + r" \\")
    lines.append(r"\midrule")
    for name, values in PAPER.items():
        cells = [f"{values[column]:.3f}" if column in values else "--" for column in TABLE]
        lines.append(" & ".join([_escape(f"{name} (paper)"), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _value(protocols: dict[str, Any], protocol: str, metric: str, method: str) -> float | None:
    entry = protocols.get(protocol, {}).get("metrics", {}).get(metric, {}).get(method)
    return entry["mean"] if entry else None


def _best(column: str, rows: dict[str, dict[str, float | None]]) -> float | None:
    known = [row[column] for row in rows.values() if row[column] is not None]
    if len(known) < 2:
        return None
    return (max if METRICS[column].higher_is_better else min)(known)  # type: ignore[type-var]


def _title(column: str) -> str:
    arrow = r"\uparrow" if METRICS[column].higher_is_better else r"\downarrow"
    return f"{METRICS[column].label} ${arrow}$"


def _cell(column: str, value: float | None, *, bold: bool) -> str:
    if value is None:
        return "--"
    text = METRICS[column].format(value).replace("-", "$-$")
    return rf"\textbf{{{text}}}" if bold else text


def _escape(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    special |= {letter: "\\" + letter for letter in "_&%#${}"}
    return "".join(special.get(letter, letter) for letter in text)
