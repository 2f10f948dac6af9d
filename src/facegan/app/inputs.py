"""What the panels have in common: files as they were sent, the background, events, frames as HTML."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr
from PIL import Image

from facegan.app.messages import in_sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from gradio.components import Component
    from numpy.typing import NDArray

C = TypeVar("C", bound="Component")

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Events that use the model wait for each other."""
AT_ONCE: dict[str, Any] = {"concurrency_id": "at once", "concurrency_limit": None}
"""Events that wait for nobody."""
OWN, COLOR, PICTURE = "Its own", "A color", "A picture"
JPEG_QUALITY = 90


def picture_input(label: str, **options: Any) -> gr.Image:
    """A place for a picture, whose value is the file as it was sent: gradio does not decode it."""
    return _as_sent(
        gr.Image(
            label=label,
            sources=["upload", "webcam", "clipboard"],
            type="filepath",
            buttons=[],
            # A photograph is not a mirror.
            webcam_options=gr.WebcamOptions(mirror=False),
            **options,
        )
    )


def video_input(label: str, **options: Any) -> gr.Video:
    """The same for a video."""
    camera = gr.WebcamOptions(mirror=False)
    return _as_sent(
        gr.Video(label=label, sources=["upload", "webcam"], buttons=[], webcam_options=camera, **options)
    )


def _as_sent(component: C) -> C:
    # Of a subclass gradio would write a stub file beside the source.
    component.preprocess = lambda payload: payload.path if payload else None  # type: ignore[method-assign]
    return component


@dataclass(frozen=True)
class BackgroundPicker:
    """What is behind the head; as inputs of an event it is three values for :func:`background`."""

    kind: gr.Radio
    color: gr.ColorPicker
    picture: gr.Image

    @classmethod
    def make(cls) -> BackgroundPicker:
        """Puts it on the page."""
        kind = gr.Radio([OWN, COLOR, PICTURE], value=OWN, label="Background", elem_id="background")
        with gr.Column(visible=False, min_width=0) as colors:
            color = gr.ColorPicker("#3b6ea5", label="Color", elem_id="color")
        with gr.Column(visible=False, min_width=0) as pictures:
            picture = picture_input("Background picture", height=200, elem_id="background-picture")
        kind.change(
            lambda chosen: (gr.Column(visible=chosen == COLOR), gr.Column(visible=chosen == PICTURE)),
            kind,
            [colors, pictures],
            show_progress="hidden",
            api_visibility="private",
            **AT_ONCE,
        )
        return cls(kind, color, picture)

    @property
    def components(self) -> list[Component]:
        """The inputs."""
        return [self.kind, self.color, self.picture]


def background(kind: str, color: str | None, picture: str | None) -> str | None:
    """A background for :class:`~facegan.inference.RenderConfig`."""
    if kind == COLOR and color:
        return as_hex(color)
    return picture if kind == PICTURE else None


def as_hex(color: str) -> str:
    """``#rrggbb`` of what a browser's color picker says: that, or ``rgba(r, g, b, a)``."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        return color
    numbers = [min(255, round(float(number))) for number in re.findall(r"\d+(?:\.\d+)?", color)[:3]]
    return "#{:02x}{:02x}{:02x}".format(*([*numbers, 0, 0, 0])[:3])


def listen(event: Any, handler: Callable[..., object], *args: Any, **options: Any) -> Any:
    """Answers an event of the page: errors are sentences, and the event is nobody else's to call."""
    options = {"show_progress": "minimal", **options}
    if "triggers" in options:
        return event(
            options.pop("triggers"), in_sentences(handler), *args, api_visibility="private", **options
        )
    return event(in_sentences(handler), *args, api_visibility="private", **options)


def as_path(value: str | None) -> Path | None:
    """A file's place, None if there is none."""
    return Path(value) if value else None


def as_html(image: NDArray[np.uint8], description: str) -> str:
    """A picture inside the page: nothing is written to the disk."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=JPEG_QUALITY)
    text = base64.b64encode(data.getvalue()).decode()
    return f'<img class="frame" alt="{description}" src="data:image/jpeg;base64,{text}">'


def words(text: str) -> str:
    """A line below a result, read out to those who cannot see it."""
    return f'<p class="words" role="status">{text}</p>'
