"""The page: the source image on one side, the panels on the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from facegan.app.edit_panel import edit_panel
from facegan.app.inputs import IMMEDIATE, BackgroundPicker, image_input, listen
from facegan.app.live_panel import live_panel
from facegan.app.reenact_panel import reenact_panel

if TYPE_CHECKING:
    from facegan.app.examples import Examples
    from facegan.app.session import SessionManager

INTRODUCTION = """# FACEGAN
Reenact a source image by a driving video, edit its expression and head pose, or animate it live by your
camera. Use images of yourself or of people who have agreed. Every result is marked as synthetic."""
STYLE = Path(__file__).with_name("page.css")
MAX_QUEUE = 40
"""Events that wait for the model; further ones are refused with a message."""
DELETE_EVERY, MAX_FILE_AGE = 60, 3600
"""Seconds; the age counts from the last use of a file."""


def build_page(sessions: SessionManager, examples: Examples) -> gr.Blocks:
    """Build the page.

    Args:
        sessions: sessions of the open pages.
        examples: example inputs, stored in the folder of examples of ``sessions``.
    """
    gr.set_static_paths([sessions.examples])
    page = gr.Blocks(
        title="FACEGAN",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(DELETE_EVERY, MAX_FILE_AGE),
    )
    with page:
        gr.Markdown(INTRODUCTION, elem_id="introduction")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                source = image_input("Source image", height=320, elem_id="source")
                gallery = gr.Gallery(
                    [
                        (str(path), f"Example {number}")
                        for number, path in enumerate(examples.source_images, 1)
                    ],
                    visible=bool(examples.source_images),
                    label="Examples",
                    columns=3,
                    height="auto",
                    show_label=False,
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    elem_id="examples",
                )
                background = BackgroundPicker.create()
            with gr.Column(scale=3, min_width=300), gr.Tabs():
                with gr.Tab("Reenact", id="reenact"):
                    reenact_panel(sessions, source, background, examples.driving_video)
                with gr.Tab("Edit", id="edit"):
                    edit_panel(sessions, source, background)
                with gr.Tab("Live", id="live"):
                    live_panel(sessions, source, background)

        def choose_example(event: gr.SelectData) -> str:
            return str(examples.source_images[event.index])

        def close_session(request: gr.Request) -> None:
            sessions.close_session(request.session_hash)

        listen(gallery.select, choose_example, None, source, **IMMEDIATE)
        page.unload(close_session)
    page.queue(max_size=MAX_QUEUE, default_concurrency_limit=1)
    return page


def system_font_theme() -> gr.themes.Base:
    """Gradio's default theme in the system's fonts: nothing is loaded from other servers."""
    return gr.themes.Default(
        primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
