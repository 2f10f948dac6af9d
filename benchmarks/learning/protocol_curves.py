"""CSIM, PSIM, ED and LSIM over a training run, beside the source and the driving image copied.

``python benchmarks/learning/protocol_curves.py runs/joint/csv/version_0/metrics.csv --out curves.png`` reads
what Lightning's CSVLogger wrote.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt

CURVES = {
    "CSIM, cross ↑": "val/cross/csim",
    "PSIM, cross ↑": "val/cross/psim",
    "ED, cross ↓": "val/cross/ed",
    "LSIM ↓": "val/lsim/lsim",
}
METHODS = {"": "result", "/copy_source": "source copied", "/copy_driving": "driving image copied"}


def main() -> None:
    """Draw one axis per metric."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("metrics", type=Path, help="metrics.csv of the run")
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    options = parser.parse_args()
    with options.metrics.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = plt.subplots(1, len(CURVES), figsize=(3.2 * len(CURVES), 2.8), layout="constrained")
    for axis, (title, name) in zip(axes, CURVES.items(), strict=True):
        for suffix, label in METHODS.items():
            points = [(int(row["step"]), float(row[name + suffix])) for row in rows if row.get(name + suffix)]
            axis.plot(*zip(*points, strict=True), marker=".", label=label)
        axis.set(title=title, xlabel="step")
    axes[0].legend(fontsize="small")
    figure.savefig(options.out, dpi=110)


if __name__ == "__main__":
    main()
