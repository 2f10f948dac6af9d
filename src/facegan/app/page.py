"""The page: a photograph on one side, what can be done with it on the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from facegan.app.edit_panel import edit_panel
from facegan.app.inputs import AT_ONCE, BackgroundPicker, listen, picture_input
from facegan.app.live_panel import live_panel
from facegan.app.reenact_panel import move_panel

if TYPE_CHECKING:
    from facegan.app.examples import Examples
    from facegan.app.session import SessionManager

TITLE = "facegan"
INTRODUCTION = """# facegan
One photograph, moved by another face, by sliders, or live by your camera. Use photographs of yourself or of
people who agreed: every result is marked as made by a machine."""
STYLE = Path(__file__).with_name("page.css")
MAX_WAITING = 40
"""Events that wait for the model; who comes then is told to try again."""


def build(studio: SessionManager, examples: Examples) -> gr.Blocks:
    """The page.

    Args:
        studio: does the work.
        examples: heads to try it with; they lie in the studio's workspace.
    """
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        gr.Markdown(INTRODUCTION, elem_id="introduction")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                photograph = picture_input("Photograph", height=320, elem_id="photograph")
                people = gr.Gallery(
                    [
                        (str(path), f"Drawn head {number}")
                        for number, path in enumerate(examples.photographs, 1)
                    ],
                    label="Or a drawn head",
                    columns=3,
                    height="auto",
                    show_label=False,
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    elem_id="examples",
                )
                behind = BackgroundPicker.make()
            with gr.Column(scale=3, min_width=300), gr.Tabs():
                with gr.Tab("Move", id="move"):
                    move_panel(studio, photograph, behind, examples.driver)
                with gr.Tab("Edit", id="edit"):
                    edit_panel(studio, photograph, behind)
                with gr.Tab("Live", id="live"):
                    live_panel(studio, photograph, behind)

        def choose(event: gr.SelectData) -> str:
            return str(examples.photographs[event.index])

        def leave(request: gr.Request) -> None:
            studio.end(str(request.session_hash))

        listen(people.select, choose, None, photograph, **AT_ONCE)
        page.unload(leave)
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=1)
    return page


def theme() -> gr.themes.Base:
    """Gradio's own look in the system's fonts: nothing is loaded from elsewhere."""
    return gr.themes.Default(
        primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
