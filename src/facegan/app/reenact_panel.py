"""The panel "Move": a photograph moves as another face does."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from facegan.app.background_task import Stopped
from facegan.app.inputs import (
    AT_ONCE,
    MODEL,
    as_html,
    as_path,
    background,
    listen,
    picture_input,
    video_input,
    words,
)
from facegan.app.session import DRIVER, percent
from facegan.geometry.motion import ACTION_UNITS
from facegan.inference import MotionTransferConfig, RenderConfig

if TYPE_CHECKING:
    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager

VIDEO, PICTURE = "Video", "Picture"
PARTS = {"All": None, "Expression only": "expression", "Pose only": "pose"}
EMPTY = '<p class="empty">The result appears here while it is made.</p>'


def move_panel(studio: SessionManager, photograph: gr.Image, behind: BackgroundPicker, example: Path) -> None:
    """Puts the panel on the page.

    Args:
        studio: does the work.
        photograph: who is moved.
        behind: the background.
        example: a driver to try.
    """
    with gr.Row():
        with gr.Column(min_width=280):
            kind = gr.Radio(
                [VIDEO, PICTURE], value=VIDEO, label="Driver: the face to follow", elem_id="driver-kind"
            )
            with gr.Column(min_width=0) as videos:
                video = video_input("Driving video", elem_id="driving-video")
                try_it = gr.Button("Use the example", size="sm", elem_id="example-driver")
            with gr.Column(visible=False, min_width=0) as pictures:
                picture = picture_input("Driving picture", height=260, elem_id="driving-picture")
            with gr.Accordion("Options", open=True):
                parts = gr.Radio(list(PARTS), value="All", label="What moves", elem_id="parts")
                strength = gr.Slider(
                    0, 2, 1, step=0.1, label="Strength of the expression", elem_id="strength"
                )
                relative = gr.Checkbox(
                    label="Relative: only the driver's changes, from the first frame on", elem_id="relative"
                )
                smooth = gr.Checkbox(label="Smooth: calms jitter", elem_id="smooth")
                paste = gr.Checkbox(label="Paste back into the whole photograph", elem_id="paste-back")
                beside = gr.Checkbox(label="Source and driver side by side", elem_id="side-by-side")
        with gr.Column(min_width=280):
            with gr.Row():
                go = gr.Button("Move", variant="primary", elem_id="move", min_width=80)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
            with gr.Column(min_width=0) as screens:
                screen = gr.HTML(EMPTY, elem_id="screen")
            with gr.Column(visible=False, min_width=0) as players:
                player = gr.Video(
                    label="Result", interactive=False, autoplay=True, loop=True, buttons=[], elem_id="player"
                )
            said = gr.HTML(elem_id="said")
            download = gr.DownloadButton("Download", interactive=False, elem_id="download-moved")

    def move(
        request: gr.Request,
        photograph: str | None,
        kind: str,
        video: str | None,
        picture: str | None,
        parts: str,
        strength: float,
        relative: bool,
        smooth: bool,
        paste: bool,
        beside: bool,
        backdrop: str,
        color: str | None,
        backing: str | None,
    ) -> Iterator[dict[Any, Any]]:
        driver = as_path(video if kind == VIDEO else picture)
        control = MotionTransferConfig(
            relative=relative,
            only=PARTS[parts],  # type: ignore[arg-type]
            strength={} if strength == 1 else dict.fromkeys(ACTION_UNITS, strength),
            smooth=smooth,
        )
        look = RenderConfig(background(backdrop, color, backing), paste, beside)
        yield {
            screens: gr.Column(visible=True),
            players: gr.Column(visible=False),
            player: None,
            screen: EMPTY,
            said: words("Looking for the faces …"),
            download: gr.DownloadButton(interactive=False, value=None),
        }
        session = str(request.session_hash)
        try:
            for state in studio.move(session, as_path(photograph), driver, control, look):
                if state.frame is not None:
                    done = f"Working … {percent(state.share)}"
                    yield {screen: as_html(state.frame, "Result so far"), said: words(done)}
                if state.file is not None:
                    shown = {said: words(html.escape(state.words)), download: _ready(state.file)}
                    if kind == VIDEO and state.file.suffix == ".mp4":
                        shown |= {
                            screens: gr.Column(visible=False),
                            players: gr.Column(visible=True),
                            player: str(state.file),
                        }
                    yield shown
        except Stopped:
            yield {said: words("Stopped.")}
        except Exception:
            yield {said: ""}
            raise

    inputs = [photograph, kind, video, picture, parts, strength, relative, smooth, paste, beside]
    outputs = [screens, players, player, screen, said, download]
    listen(go.click, move, [*inputs, *behind.components], outputs, **MODEL)

    def check(request: gr.Request, driver: str | None) -> None:
        if driver:
            studio.check(str(request.session_hash), Path(driver), DRIVER)

    def end(request: gr.Request) -> None:
        studio.stop(str(request.session_hash))

    listen(stop.click, end, **AT_ONCE)
    listen(
        kind.change,
        lambda chosen: (gr.Column(visible=chosen == VIDEO), gr.Column(visible=chosen == PICTURE)),
        kind,
        [videos, pictures],
        **AT_ONCE,
    )
    for sent in (video, picture):
        listen(sent.change, check, sent, **MODEL)
    listen(try_it.click, lambda: str(example), None, video, **AT_ONCE)


def _ready(path: Path) -> gr.DownloadButton:
    return gr.DownloadButton(interactive=True, value=str(path))
