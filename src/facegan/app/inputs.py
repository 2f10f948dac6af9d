"""What the panels share: upload fields, the background picker, event listeners, HTML of frames."""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import gradio as gr
from PIL import Image

from facegan.app.error_messages import display_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from gradio.components import Component
    from numpy.typing import NDArray

C = TypeVar("C", bound="Component")

Values: TypeAlias = dict[Any, Any]
"""What gradio hands to a listener whose inputs are a set: component to value."""
MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Events that use the model wait for each other."""
IMMEDIATE: dict[str, Any] = {"concurrency_id": "immediate", "concurrency_limit": None}
ORIGINAL, COLOR, IMAGE = "Original", "Color", "Image"
JPEG_QUALITY = 90


def image_input(label: str, **options: Any) -> gr.Image:
    """An upload field for an image; its value is the path of the file as uploaded."""
    # The mirror image of a source is another source.
    camera = gr.WebcamOptions(mirror=False)
    sources: Any = ["upload", "webcam", "clipboard"]
    return _as_uploaded(gr.Image(label=label, sources=sources, buttons=[], webcam_options=camera, **options))


def video_input(label: str, **options: Any) -> gr.Video:
    """An upload field for a video; its value is the path of the file as uploaded."""
    camera = gr.WebcamOptions(mirror=False)
    return _as_uploaded(
        gr.Video(label=label, sources=["upload", "webcam"], buttons=[], webcam_options=camera, **options)
    )


def _as_uploaded(component: C) -> C:
    """Gradio would decode the file whatever its size, and a subclass would make it write a stub file."""
    component.preprocess = lambda payload: Path(payload.path) if payload else None  # type: ignore[method-assign]
    return component


@dataclass(frozen=True)
class BackgroundPicker:
    """Chooses the background of the result."""

    kind: gr.Radio
    color: gr.ColorPicker
    image: gr.Image

    @classmethod
    def create(cls) -> BackgroundPicker:
        """Add the components to the page."""
        kind = gr.Radio([ORIGINAL, COLOR, IMAGE], value=ORIGINAL, label="Background", elem_id="background")
        with gr.Column(visible=False, min_width=0) as colors:
            color = gr.ColorPicker("#3b6ea5", label="Background color", elem_id="color")
        with gr.Column(visible=False, min_width=0) as images:
            image = image_input("Background image", height=200, elem_id="background-image")

        def show_field(chosen: str) -> list[gr.Column]:
            return [gr.Column(visible=chosen == COLOR), gr.Column(visible=chosen == IMAGE)]

        listen(kind.change, show_field, kind, [colors, images], **IMMEDIATE)
        return cls(kind, color, image)

    @property
    def components(self) -> set[Component]:
        """The inputs of an event that needs the background."""
        return {self.kind, self.color, self.image}

    def read(self, values: Values) -> str | None:
        """Return a background for :class:`~facegan.inference.RenderConfig`."""
        if values[self.kind] == COLOR and values[self.color]:
            return css_color_to_hex(values[self.color])
        if values[self.kind] == IMAGE and values[self.image]:
            return str(values[self.image])
        return None


def css_color_to_hex(color: str) -> str:
    """Convert what browsers' color pickers send, ``#rrggbb`` or ``rgba(r, g, b, a)``, to ``#rrggbb``."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        return color
    channels = [min(255, round(float(number))) for number in re.findall(r"\d+(?:\.\d+)?", color)[:3]]
    return "#{:02x}{:02x}{:02x}".format(*([*channels, 0, 0, 0])[:3])


def listen(
    triggers: Any, handler: Callable[..., object], inputs: Any = None, outputs: Any = None, **options: Any
) -> Any:
    """Add a listener to an event or several: errors are displayed, and no other program can call it."""
    options = {"show_progress": "minimal", "api_visibility": "private", **options}
    return gr.on(triggers, display_errors(handler), inputs, outputs, **options)


def frame_to_html(image: NDArray[np.uint8], description: str) -> str:
    """Embed a frame, H×W×3 RGB, in the page; no file is written."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=JPEG_QUALITY)
    text = base64.b64encode(data.getvalue()).decode()
    return f'<img class="frame" alt="{description}" src="data:image/jpeg;base64,{text}">'


def status_to_html(text: str) -> str:
    """A line below a result, which screen readers announce."""
    return f'<p class="status" role="status">{html.escape(text)}</p>'


def placeholder_to_html(text: str) -> str:
    """A box in place of a result."""
    return f'<p class="placeholder">{html.escape(text)}</p>'


def download_button(path: Path | None) -> gr.DownloadButton:
    """Update of a download button: offers a file, or is disabled."""
    return gr.DownloadButton(interactive=path is not None, value=path and str(path))
