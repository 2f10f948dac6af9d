"""What an evaluation found: JSON, pictures, a page, a table for the terminal."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import jinja2
import numpy as np

from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.scores import MEASURES
from facegan.stages.sheets import draw_sheet, to_images

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

PAPER = {
    "self": {"mse": 0.018},
    "cross": {"csim": 0.747, "psim": 0.811, "ed": 0.012},
    "lsim": {"lsim": 0.021},
}
"""FACEGAN's row of the paper's Table 2, under the experiment that it is of by our reading."""

METHODS = {"model": "model", "source": "source copied", "driver": "driver copied", "mean": "mean picture"}
NUMBERS = "metrics.json"
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    Attributes:
        out: folder that it lies in.
        metrics: the numbers, and what they are of, as in ``metrics.json``.
        columns: experiment to titles and pictures, as in :class:`facegan.evaluation.assess.Outcome`.
    """

    out: Path
    metrics: dict[str, Any]
    columns: dict[str, dict[str, Tensor]]

    def describe(self) -> str:
        """A table for the terminal, and where the page lies."""
        lines = []
        for name, numbers in self.metrics["protocols"].items():
            methods = list(next(iter(numbers["measures"].values())))
            lines.append(f"{PROTOCOLS[name].title}, {numbers['pairs']} pairs")
            lines.append(_row("", methods))
            for measure, values in numbers["measures"].items():
                label = f"{MEASURES[measure].label} {MEASURES[measure].better}"
                lines.append(_row(label, [_number(value) for value in values.values()]))
            lines += [_row("no face found", [str(m["count"]) for m in numbers["misses"].values()]), ""]
        lines += [
            f"{PROTOCOLS[name].title}: left out, {why}" for name, why in self.metrics["left_out"].items()
        ]
        if self.metrics["data"]["split"] != "test":
            lines.append(f"There are no test crops: the {self.metrics['data']['split']} split was used.")
        lines.append(f"report: {self.out / 'report.html'}")
        return "\n".join(lines)

    def write(self, folder: Path) -> None:
        """Writes all files into an existing folder."""
        text = json.dumps(self.metrics, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / NUMBERS).write_text(text + "\n", encoding="utf-8")
        for name, sheet in self._sheets.items():
            (folder / f"{name}.png").write_bytes(_encode(sheet, ".png"))
        (folder / "report.html").write_text(self._page(), encoding="utf-8")

    @cached_property
    def _sheets(self) -> dict[str, np.ndarray]:
        return {name: draw_sheet(images, list(self.columns[name])) for name, images in self._images.items()}

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        """Rows×columns×S×S×3."""
        return {
            name: np.stack([to_images(pictures) for pictures in columns.values()], axis=1)
            for name, columns in self.columns.items()
        }

    def _page(self) -> str:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("facegan.evaluation", "."),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        sheets = {
            name: {
                "titles": list(self.columns[name]),
                # The page has its own titles.
                "jpeg": base64.b64encode(_encode(_tiled(images), ".jpg", *JPEG)).decode(),
            }
            for name, images in self._images.items()
        }
        return environment.get_template("report.html").render(
            metrics=self.metrics,
            sheets=sheets,
            protocols=PROTOCOLS,
            measures=MEASURES,
            methods=METHODS,
        )


def _tiled(images: np.ndarray) -> np.ndarray:
    """Rows×columns×S×S×3 as one picture without gaps."""
    rows, columns, height, width, _ = images.shape
    return images.swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def _row(label: str, cells: list[str]) -> str:
    return f"  {label:18}" + "".join(f"{cell:>10}" for cell in cells)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _encode(sheet: np.ndarray, suffix: str, *flags: int) -> bytes:
    return bytes(cv2.imencode(suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), flags)[1])
