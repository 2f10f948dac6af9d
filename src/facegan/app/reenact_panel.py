"""The panel "Reenact": animates the source image by a driving video or image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from facegan.app.background_task import TaskCancelled
from facegan.app.inputs import (
    IMMEDIATE,
    MODEL_QUEUE,
    Values,
    download_button,
    frame_to_html,
    image_input,
    listen,
    placeholder_to_html,
    status_to_html,
    video_input,
)
from facegan.app.session import DRIVING
from facegan.geometry.motion import ACTION_UNITS
from facegan.inference import MotionTransferConfig, RenderConfig

if TYPE_CHECKING:
    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager

VIDEO, IMAGE = "Video", "Image"
TRANSFERS = {"All": None, "Expression only": "expression", "Pose only": "pose"}
PLACEHOLDER = placeholder_to_html("The result appears here while it is computed.")


def reenact_panel(
    sessions: SessionManager, source: gr.Image, background: BackgroundPicker, example: Path | None
) -> None:
    """Add the panel to the page.

    Args:
        sessions: sessions of the open pages.
        source: field of the source image.
        background: the background picker.
        example: an example driving video, or None.
    """
    with gr.Row():
        with gr.Column(min_width=280):
            kind = gr.Radio([VIDEO, IMAGE], value=VIDEO, label="Driving input", elem_id="driving-kind")
            with gr.Column(min_width=0) as video_column:
                video = video_input("Driving video", elem_id="driving-video")
                use_example = gr.Button(
                    "Use the example", size="sm", visible=example is not None, elem_id="example-driving"
                )
            with gr.Column(visible=False, min_width=0) as image_column:
                image = image_input("Driving image", height=260, elem_id="driving-image")
            with gr.Accordion("Options", open=True):
                only = gr.Radio(list(TRANSFERS), value="All", label="Transferred motion", elem_id="only")
                strength = gr.Slider(0, 2, 1, step=0.1, label="Expression strength", elem_id="strength")
                relative = gr.Checkbox(
                    label="Relative motion: transfer the change since the first driving frame",
                    elem_id="relative",
                )
                smooth = gr.Checkbox(label="Temporal smoothing", elem_id="smooth")
                paste_back = gr.Checkbox(label="Paste back into the source image", elem_id="paste-back")
                side_by_side = gr.Checkbox(
                    label="Show source and driving frames beside the result", elem_id="side-by-side"
                )
        with gr.Column(min_width=280):
            with gr.Row():
                start = gr.Button("Reenact", variant="primary", elem_id="start", min_width=80)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
            with gr.Column(min_width=0) as preview_column:
                preview = gr.HTML(PLACEHOLDER, elem_id="preview")
            with gr.Column(visible=False, min_width=0) as player_column:
                player = gr.Video(
                    label="Result", interactive=False, autoplay=True, loop=True, buttons=[], elem_id="player"
                )
            status = gr.HTML(elem_id="status")
            download = gr.DownloadButton("Download", interactive=False, elem_id="download-reenacted")

    def run(request: gr.Request, values: Values) -> Iterator[dict[Any, Any]]:
        factor = float(values[strength])
        transfer = MotionTransferConfig(
            relative=values[relative],
            only=TRANSFERS[values[only]],  # type: ignore[arg-type]
            strength={} if factor == 1 else dict.fromkeys(ACTION_UNITS, factor),
            smooth=values[smooth],
        )
        render = RenderConfig(background.read(values), values[paste_back], values[side_by_side])
        yield {
            start: gr.Button(interactive=False),
            preview_column: gr.Column(visible=True),
            player_column: gr.Column(visible=False),
            player: None,
            preview: PLACEHOLDER,
            status: status_to_html("Detecting faces …"),
            download: download_button(None),
        }
        driving = values[video] if values[kind] == VIDEO else values[image]
        session = sessions.get(request.session_hash)
        try:
            for progress in session.reenact(values[source], driving, transfer, render):
                if progress.frame is not None:
                    text = status_to_html(f"Rendering … {_percent(progress.fraction)}")
                    yield {preview: frame_to_html(progress.frame, "Newest frame"), status: text}
                if progress.file is not None:
                    result = {
                        status: status_to_html(progress.summary),
                        download: download_button(progress.file),
                    }
                    if progress.file.suffix == ".mp4":
                        result |= {
                            preview_column: gr.Column(visible=False),
                            player_column: gr.Column(visible=True),
                            player: str(progress.file),
                        }
                    yield result
        except TaskCancelled:
            yield {status: status_to_html("Stopped.")}
        except Exception:
            yield {status: ""}
            raise

    def stop_run(request: gr.Request) -> None:
        sessions.get(request.session_hash).stop()

    def check_driving(request: gr.Request, driving: Path | None) -> None:
        if driving:
            sessions.get(request.session_hash).check_upload(driving, DRIVING)

    def show_field(chosen: str) -> list[gr.Column]:
        return [gr.Column(visible=chosen == VIDEO), gr.Column(visible=chosen == IMAGE)]

    inputs = {source, kind, video, image, only, strength, relative, smooth, paste_back, side_by_side}
    outputs = [start, preview_column, player_column, player, preview, status, download]
    # gradio ignores clicks on a button whose event has not ended, so the button is disabled until then.
    running = listen(start.click, run, inputs | background.components, outputs, **MODEL_QUEUE)
    running.then(lambda: gr.Button(interactive=True), None, start, show_progress="hidden", **IMMEDIATE)
    listen(stop.click, stop_run, **IMMEDIATE)
    listen(kind.change, show_field, kind, [video_column, image_column], **IMMEDIATE)
    for field in (video, image):
        listen(field.change, check_driving, field, **MODEL_QUEUE)
    listen(use_example.click, lambda: str(example), None, video, **IMMEDIATE)


def _percent(fraction: float) -> str:
    return "" if math.isnan(fraction) else f"{min(100, round(100 * fraction))} %"
