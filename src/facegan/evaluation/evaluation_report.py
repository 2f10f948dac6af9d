"""Report of an evaluation: JSON, CSV, LaTeX, image grids, an HTML page, a table for the terminal."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import jinja2
import numpy as np

from facegan.evaluation.methods import BASELINES, DRIVING_COPIED, GROUND_TRUTH, SOURCE_COPIED
from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.tables import TABLE, to_csv, to_latex
from facegan.geometry.motion import ACTION_UNITS, POSE_ANGLES
from facegan.io.image_grid import make_image_grid
from facegan.io.images import write_image
from facegan.metrics.pair_metrics import METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facegan.evaluation.action_unit_grid import ActionUnitEdits

    Images = NDArray[np.uint8]

METRICS_FILE, REPORT_FILE = "metrics.json", "report.html"
JPEG_QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 90)
THUMBNAIL_SIZE = 96
"""Side of the images of the action-unit grid in the page."""


@dataclass(frozen=True)
class EvaluationReport:
    """The result of an evaluation.

    Attributes:
        out: folder that it is stored in.
        metrics: the content of ``metrics.json``.
        grids: protocol to column title to images, ROWS×S×S×3.
        edits: experiment 4, if a model has a landmark transformer.
    """

    out: Path
    metrics: dict[str, Any]
    grids: dict[str, dict[str, Images]]
    edits: ActionUnitEdits | None

    def describe(self) -> str:
        """Format the metrics as a table for the terminal."""
        lines = []
        for name, summary in self.metrics["protocols"].items():
            methods = list(summary["undetected"])
            widths = [max(len(method), 8) + 2 for method in methods]
            lines.append(f"{PROTOCOLS[name].title}, pairs: {summary['pairs']}")
            lines.append(_row("", methods, widths))
            for key, entries in summary["metrics"].items():
                metric = METRICS[key]
                cells = [metric.format(entries.get(method, {}).get("mean")) for method in methods]
                lines.append(_row(f"{metric.label} {metric.arrow}", cells, widths))
            counts = [str(summary["undetected"][method]["count"]) for method in methods]
            lines += [_row("no face detected", counts, widths), ""]
        for name, reason in self.metrics["skipped"].items():
            title = PROTOCOLS[name].title if name in PROTOCOLS else METRICS[name].label
            lines.append(f"{title}: skipped, {reason}")
        if self.metrics["data"]["splits"] != ["test"]:
            lines.append(f"Not of the test split alone: {', '.join(self.metrics['data']['splits'])}.")
        lines.append(f"report: {self.out / REPORT_FILE}")
        return "\n".join(lines)

    def write(self, folder: Path) -> None:
        """Write all files into an existing folder."""
        text = json.dumps(self.metrics, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / METRICS_FILE).write_text(text + "\n", encoding="utf-8")
        protocols = self.metrics["protocols"]
        (folder / "metrics.csv").write_text(to_csv(protocols), encoding="utf-8")
        (folder / "table.tex").write_text(to_latex(protocols, self._table_rows), encoding="utf-8")
        for name, columns in self.grids.items():
            images = np.stack(list(columns.values()), axis=1)
            write_image(folder / f"{name}.png", make_image_grid(images, list(columns)))
        for name, grid in self._edit_grids.items():
            write_image(folder / f"{name}.png", make_image_grid(*grid))
        (folder / REPORT_FILE).write_text(self._render_page(), encoding="utf-8")

    @property
    def _table_rows(self) -> list[str]:
        """Methods, then baselines."""
        rendered = any(
            GROUND_TRUTH in summary["undetected"] for summary in self.metrics["protocols"].values()
        )
        baselines = [SOURCE_COPIED, DRIVING_COPIED, *([GROUND_TRUTH] if rendered else [])]
        return [*self.metrics["methods"], *baselines]

    @cached_property
    def _edit_grids(self) -> dict[str, tuple[Images, list[str], list[str]]]:
        """File name to images, column titles and row labels."""
        if self.edits is None:
            return {}
        responses = self.metrics["action_unit_grid"]
        degrees = [f"{value}°" for value in responses["degrees"]]
        intensities = [f"{value:.2f}" for value in responses["intensities"]]
        grids = {
            "action_units": (self.edits.action_units, list(ACTION_UNITS), intensities),
            "head_pose": (self.edits.head_pose, degrees, list(POSE_ANGLES)),
        }
        if columns := self.edits.backgrounds.shape[1]:
            grids["backgrounds"] = (self.edits.backgrounds, [""] * columns, [])
        return grids

    def _render_page(self) -> str:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("facegan.evaluation", "."),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        grids = {
            name: {"titles": list(columns), "jpeg": _jpeg(np.stack(list(columns.values()), axis=1))}
            for name, columns in self.grids.items()
        }
        edits = {
            name: {"titles": titles, "labels": labels, "jpeg": _jpeg(_thumbnails(images))}
            for name, (images, titles, labels) in self._edit_grids.items()
        }
        return environment.get_template("evaluation_report.html").render(
            report=self.metrics,
            rows=self._table_rows,
            baselines=BASELINES,
            grids=grids,
            edits=edits,
            protocols=PROTOCOLS,
            metrics=METRICS,
            computed={key for summary in self.metrics["protocols"].values() for key in summary["metrics"]},
            table=TABLE,
            action_units=ACTION_UNITS,
            pose_angles=POSE_ANGLES,
        )


def _jpeg(images: Images) -> str:
    """Encode rows×columns×S×S×3 as one image without gaps for a data URL: the page has its own titles."""
    rows, columns, height, width, _ = images.shape
    tiled = images.swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(tiled, cv2.COLOR_RGB2BGR), JPEG_QUALITY)[1]
    return base64.b64encode(encoded.tobytes()).decode()


def _thumbnails(images: Images) -> Images:
    if images.shape[2] <= THUMBNAIL_SIZE:
        return images
    size = (THUMBNAIL_SIZE, THUMBNAIL_SIZE)
    flat = images.reshape(-1, *images.shape[2:])
    small = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in flat])
    return small.reshape(*images.shape[:2], *size, 3)


def _row(label: str, cells: list[str], widths: list[int]) -> str:
    return f"  {label:28}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
