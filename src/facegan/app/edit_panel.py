"""The panel "Edit": a photograph moves by sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from facegan.app import controls
from facegan.app.inputs import MODEL, as_path, background, listen
from facegan.inference import RenderConfig

if TYPE_CHECKING:
    from pathlib import Path

    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager


def edit_panel(studio: SessionManager, photograph: gr.Image, behind: BackgroundPicker) -> None:
    """Puts the panel on the page.

    Args:
        studio: does the work.
        photograph: who is moved.
        behind: the background.
    """
    sliders: list[gr.Slider] = []
    with gr.Row():
        with gr.Column(scale=2, min_width=280, elem_classes="follows"):
            result = gr.Image(
                label="Result",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="edited",
                alt_text="The edited face",
            )
            with gr.Row():
                reset = gr.Button("Reset", elem_id="reset", min_width=80)
                random = gr.Button("Random", elem_id="random", min_width=80)
                download = gr.DownloadButton(
                    "Download", interactive=False, elem_id="download-edited", min_width=80
                )
            paste = gr.Checkbox(label="Paste back into the whole photograph", elem_id="edit-paste-back")
        with gr.Column(scale=3, min_width=280):
            for title, group in controls.GROUPS.items():
                with gr.Accordion(title, open=True, elem_classes="group"):
                    sliders.extend(
                        gr.Slider(
                            control.low,
                            control.high,
                            0,
                            step=control.step,
                            label=control.label,
                            elem_id=f"slider-{control.name}",
                            buttons=[],
                        )
                        for control in group
                    )

    def change(
        request: gr.Request,
        photograph: str | None,
        paste: bool,
        kind: str,
        color: str | None,
        picture: str | None,
        *values: float,
    ) -> list[object]:
        if photograph is None:
            return [gr.skip(), gr.skip()]
        names = [control.name for control in controls.CONTROLS]
        look = RenderConfig(background(kind, color, picture), paste)
        edited = dict(zip(names, values, strict=True))
        return _shown(studio.edit(str(request.session_hash), as_path(photograph), edited, look))

    def begin(
        request: gr.Request,
        photograph: str | None,
        paste: bool,
        kind: str,
        color: str | None,
        picture: str | None,
    ) -> list[object]:
        """The photograph's own values."""
        if photograph is None:
            return [*[gr.skip()] * len(sliders), None, gr.DownloadButton(interactive=False, value=None)]
        source = studio.look_at(str(request.session_hash), as_path(photograph))
        values = controls.read(source.motion[0].cpu())
        return [*values, *change(request, photograph, paste, kind, color, picture, *values)]

    def throw(
        request: gr.Request,
        photograph: str | None,
        paste: bool,
        kind: str,
        color: str | None,
        picture: str | None,
    ) -> list[object]:
        """Random values."""
        values = controls.read(controls.sample(np.random.default_rng()))
        return [*values, *change(request, photograph, paste, kind, color, picture, *values)]

    outputs = [result, download]
    around = [photograph, paste, *behind.components]
    events = [slider.input for slider in sliders]
    events += [paste.input, behind.kind.input, behind.color.change, behind.picture.change]
    # While a slider is dragged, the newest value is taken when the one before is drawn.
    listen(gr.on, change, [*around, *sliders], outputs, triggers=events, trigger_mode="always_last", **MODEL)
    listen(gr.on, begin, around, [*sliders, *outputs], triggers=[photograph.change, reset.click], **MODEL)
    listen(random.click, throw, around, [*sliders, *outputs], **MODEL)


def _shown(file: Path) -> list[object]:
    return [str(file), gr.DownloadButton(interactive=True, value=str(file))]
