"""The panel "Live": animates the source image by the face in front of the camera."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import gradio as gr

from facegan.app.inputs import (
    IMMEDIATE,
    Values,
    frame_to_html,
    listen,
    placeholder_to_html,
    status_to_html,
)
from facegan.app.upload_limits import read_camera_frame
from facegan.errors import InputError
from facegan.inference import MotionTransferConfig, RenderConfig

if TYPE_CHECKING:
    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager

MAX_CAMERAS = 4
"""At once; they share the machine with each other and with the other panels."""
MAX_SECONDS = 600
"""Of one camera; then it has to be started again, so that others get their turn."""
FRAME_INTERVAL = 1 / 30
"""Least seconds between two frames that a browser sends."""
RESOLUTION = {"width": {"ideal": 640}, "height": {"ideal": 480}}
"""More pixels would cost time and show no more of a face."""
PLACEHOLDER = placeholder_to_html("Start the camera: the source image follows your face.")


def live_panel(sessions: SessionManager, source: gr.Image, background: BackgroundPicker) -> None:
    """Add the panel to the page.

    Args:
        sessions: sessions of the open pages.
        source: field of the source image.
        background: the background picker.
    """
    with gr.Row():
        with gr.Column(min_width=280):
            camera = gr.Image(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                buttons=[],
                height=300,
                webcam_options=gr.WebcamOptions(constraints={"video": RESOLUTION}),
                elem_id="camera",
            )
            relative = gr.Checkbox(
                True, label="Relative motion: start with a neutral face", elem_id="live-relative"
            )
            smooth = gr.Checkbox(True, label="Temporal smoothing", elem_id="live-smooth")
        with gr.Column(min_width=280):
            screen = gr.HTML(PLACEHOLDER, elem_id="live-screen")
            status = gr.HTML(elem_id="live-status")
    # The frame as the browser sends it, a "data:" URL: gradio would decode it whatever its size.
    camera.preprocess = lambda payload: payload.url if payload else None  # type: ignore[method-assign]

    def animate(request: gr.Request, values: Values) -> tuple[str, str]:
        arrival = perf_counter()
        if values[camera] is None:
            return PLACEHOLDER, ""
        transfer = MotionTransferConfig(relative=values[relative], smooth=values[smooth])
        render = RenderConfig(background.read(values))
        session = sessions.get(request.session_hash)
        try:
            image = read_camera_frame(values[camera])
            frame = session.animate_frame(values[source], image, transfer, render, arrival)
        except InputError as error:
            # A pop-up for every frame would cover the page.
            return PLACEHOLDER, status_to_html(str(error))
        text = f"{frame.fps:.1f} frames per second · {1000 * frame.latency:.0f} ms per frame on the server"
        if not frame.detected:
            text += " · no face in front of the camera"
        return frame_to_html(frame.image, "The animated source image"), status_to_html(text)

    def stop(request: gr.Request) -> None:
        sessions.get(request.session_hash).stop_live()

    listen(
        camera.stream,
        animate,
        {camera, source, relative, smooth} | background.components,
        [screen, status],
        stream_every=FRAME_INTERVAL,
        time_limit=MAX_SECONDS,
        concurrency_id="live",
        concurrency_limit=MAX_CAMERAS,
        show_progress="hidden",
    )
    listen(camera.clear, stop, **IMMEDIATE)
