"""What an evaluation found: JSON, CSV, LaTeX, pictures, a page, a table for the terminal."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import jinja2
import numpy as np

from facegan.evaluation.methods import ANSWER, DRIVER, NAIVE, SOURCE
from facegan.evaluation.pair_metrics import MEASURES
from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.tables import TABLE, to_csv, to_latex
from facegan.geometry.motion import (
    ACTION_UNIT_GRID_DEGREES,
    ACTION_UNIT_GRID_INTENSITIES,
    ACTION_UNITS,
    POSE_ANGLES,
)
from facegan.io.image_grid import make_image_grid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.evaluation.action_unit_grid import Edits

    Images = NDArray[np.uint8]

NUMBERS = "metrics.json"
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)
SMALL = 96
"""Side of the pictures of an edit in the page."""


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    Attributes:
        out: folder that it lies in.
        metrics: the numbers, and what they are of, as in ``metrics.json``.
        sheets: protocol to column title to pictures, ROWS×S×S×3.
        edits: experiment 4, if a model can be told how to move.
    """

    out: Path
    metrics: dict[str, Any]
    sheets: dict[str, dict[str, Images]]
    edits: Edits | None

    def describe(self) -> str:
        """A table for the terminal, and where the page lies."""
        lines = []
        for name, numbers in self.metrics["protocols"].items():
            methods = list(numbers["misses"])
            widths = [max(len(method), 8) + 2 for method in methods]
            lines.append(f"{PROTOCOLS[name].title}, pairs: {numbers['pairs']}")
            lines.append(_row("", methods, widths))
            for measure, values in numbers["measures"].items():
                label = f"{MEASURES[measure].label} {MEASURES[measure].better}"
                cells = [MEASURES[measure].show(values.get(method, {}).get("mean")) for method in methods]
                lines.append(_row(label, cells, widths))
            counts = [str(numbers["misses"][method]["count"]) for method in methods]
            lines += [_row("no face found", counts, widths), ""]
        for name, why in self.metrics["left_out"].items():
            title = PROTOCOLS[name].title if name in PROTOCOLS else MEASURES[name].label
            lines.append(f"{title}: left out, {why}")
        if self.metrics["data"]["splits"] != ["test"]:
            lines.append(f"Not of the test split alone: {', '.join(self.metrics['data']['splits'])}.")
        lines.append(f"report: {self.out / 'report.html'}")
        return "\n".join(lines)

    def write(self, folder: Path) -> None:
        """Writes all files into an existing folder."""
        text = json.dumps(self.metrics, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / NUMBERS).write_text(text + "\n", encoding="utf-8")
        protocols = self.metrics["protocols"]
        (folder / "metrics.csv").write_text(to_csv(protocols), encoding="utf-8")
        (folder / "table.tex").write_text(to_latex(protocols, self._rows), encoding="utf-8")
        for name, columns in self.sheets.items():
            images = np.stack(list(columns.values()), axis=1)
            (folder / f"{name}.png").write_bytes(_encode(make_image_grid(images, list(columns)), ".png"))
        for name, (images, titles, labels) in self._edit_sheets.items():
            (folder / f"edits_{name}.png").write_bytes(
                _encode(make_image_grid(images, titles, labels), ".png")
            )
        (folder / "report.html").write_text(self._page(), encoding="utf-8")

    @property
    def _rows(self) -> list[str]:
        """Methods of the table: ours, then the naive ones."""
        answer = any(ANSWER in found["misses"] for found in self.metrics["protocols"].values())
        return [*self.metrics["methods"], SOURCE, DRIVER, *([ANSWER] if answer else [])]

    @cached_property
    def _edit_sheets(self) -> dict[str, tuple[Images, list[str], list[str]]]:
        if self.edits is None:
            return {}
        degrees = [f"{value}°" for value in ACTION_UNIT_GRID_DEGREES]
        sheets = {
            "units": (
                self.edits.units,
                list(ACTION_UNITS),
                [f"{value:.2f}" for value in ACTION_UNIT_GRID_INTENSITIES],
            ),
            "angles": (self.edits.angles, degrees, list(POSE_ANGLES)),
        }
        if self.edits.backgrounds.shape[1]:
            sheets["backgrounds"] = (self.edits.backgrounds, [""] * self.edits.backgrounds.shape[1], [])
        return sheets

    def _page(self) -> str:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("facegan.evaluation", "."),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        sheets = {
            name: {"titles": list(columns), "jpeg": _jpeg(np.stack(list(columns.values()), axis=1))}
            for name, columns in self.sheets.items()
        }
        edits = {
            name: {"titles": titles, "labels": labels, "jpeg": _jpeg(_small(images))}
            for name, (images, titles, labels) in self._edit_sheets.items()
        }
        return environment.get_template("report.html").render(
            metrics=self.metrics,
            rows=self._rows,
            naive=NAIVE,
            sheets=sheets,
            edits=edits,
            protocols=PROTOCOLS,
            measures=MEASURES,
            measured={name for found in self.metrics["protocols"].values() for name in found["measures"]},
            table=TABLE,
            intensities=ACTION_UNIT_GRID_INTENSITIES,
            degrees=ACTION_UNIT_GRID_DEGREES,
            units=ACTION_UNITS,
            angles=POSE_ANGLES,
        )


def _jpeg(images: Images) -> str:
    """Rows×columns×S×S×3 as one picture without gaps, for a data URL: the page has its own titles."""
    rows, columns, height, width, _ = images.shape
    tiled = images.swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return base64.b64encode(_encode(tiled, ".jpg", *JPEG)).decode()


def _small(images: Images) -> Images:
    if images.shape[2] <= SMALL:
        return images
    flat = images.reshape(-1, *images.shape[2:])
    small = np.stack([cv2.resize(one, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for one in flat])
    return small.reshape(*images.shape[:2], SMALL, SMALL, 3)


def _row(label: str, cells: list[str], widths: list[int]) -> str:
    return f"  {label:28}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _encode(sheet: Images, suffix: str, *flags: int) -> bytes:
    return bytes(cv2.imencode(suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), flags)[1])
