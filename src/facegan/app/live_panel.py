"""The panel "Live": a photograph moves with the face before the camera."""

from __future__ import annotations

import html
from time import perf_counter
from typing import TYPE_CHECKING

import gradio as gr

from facegan.app import limits
from facegan.app.inputs import AT_ONCE, as_html, as_path, background, listen, words
from facegan.errors import InputError
from facegan.inference import MotionTransferConfig, RenderConfig

if TYPE_CHECKING:
    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager

USERS = 4
"""At most so many cameras at once; they share the machine with each other and with the other panels."""
MAX_SECONDS = 600
"""Of one camera; then it has to be started again, so that others get their turn."""
EVERY = 1 / 30
"""Seconds between two frames that a browser sends at the least."""
FRAME = {"width": {"ideal": 640}, "height": {"ideal": 480}}
"""What a camera is asked for: more pixels would cost time and show no more of a face."""
EMPTY = '<p class="empty">Start the camera: the photograph follows your face.</p>'


def live_panel(studio: SessionManager, photograph: gr.Image, behind: BackgroundPicker) -> None:
    """Puts the panel on the page.

    Args:
        studio: does the work.
        photograph: who is moved.
        behind: the background.
    """
    with gr.Row():
        with gr.Column(min_width=280):
            camera = gr.Image(
                label="Camera",
                sources=["webcam"],
                streaming=True,
                buttons=[],
                height=300,
                webcam_options=gr.WebcamOptions(constraints={"video": FRAME}),
                elem_id="camera",
            )
            relative = gr.Checkbox(
                True, label="Relative: begin with the face at rest", elem_id="live-relative"
            )
            smooth = gr.Checkbox(True, label="Smooth: calms jitter", elem_id="live-smooth")
        with gr.Column(min_width=280):
            screen = gr.HTML(EMPTY, elem_id="live-screen")
            said = gr.HTML(elem_id="live-said")
    # The frame as it was sent: a "data:" address.
    camera.preprocess = lambda payload: payload.url if payload else None  # type: ignore[method-assign]

    def follow(
        request: gr.Request,
        frame: str | None,
        photograph: str | None,
        relative: bool,
        smooth: bool,
        kind: str,
        color: str | None,
        picture: str | None,
    ) -> tuple[str, str]:
        if frame is None:
            return EMPTY, ""
        began = perf_counter()
        session = str(request.session_hash)
        control, look = (
            MotionTransferConfig(relative=relative, smooth=smooth),
            RenderConfig(background(kind, color, picture)),
        )
        try:
            image = limits.read_frame(frame)
            shot = studio.live(session, as_path(photograph), image, control, look, began)
        except InputError as error:
            # A message of its own for each frame would fill the page.
            return EMPTY, words(html.escape(str(error)))
        told = f"{shot.rate:.1f} frames a second · {1000 * shot.latency:.0f} ms for each on the server"
        if not shot.found:
            told += " · no face before the camera"
        return as_html(shot.image, "The photograph, moving live"), words(told)

    def end(request: gr.Request) -> None:
        studio.end_live(str(request.session_hash))

    listen(
        camera.stream,
        follow,
        [camera, photograph, relative, smooth, *behind.components],
        [screen, said],
        stream_every=EVERY,
        time_limit=MAX_SECONDS,
        concurrency_id="live",
        concurrency_limit=USERS,
        show_progress="hidden",
    )
    listen(camera.clear, end, **AT_ONCE)
