"""The panel "Edit": sets expression and pose of the source image by sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from facegan.app.controls import SLIDER_GROUPS, SLIDERS, motion_to_slider_values, sample_slider_values
from facegan.app.inputs import MODEL_QUEUE, Values, download_button, listen
from facegan.inference import RenderConfig

if TYPE_CHECKING:
    from facegan.app.inputs import BackgroundPicker
    from facegan.app.session import SessionManager


def edit_panel(sessions: SessionManager, source: gr.Image, background: BackgroundPicker) -> None:
    """Add the panel to the page.

    Args:
        sessions: sessions of the open pages.
        source: field of the source image.
        background: the background picker.
    """
    sliders: list[gr.Slider] = []
    with gr.Row():
        with gr.Column(scale=2, min_width=280, elem_classes="sticky"):
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
            paste_back = gr.Checkbox(label="Paste back into the source image", elem_id="edit-paste-back")
        with gr.Column(scale=3, min_width=280):
            for title, group in SLIDER_GROUPS.items():
                with gr.Accordion(title, open=True, elem_classes="slider-group"):
                    sliders += [
                        gr.Slider(
                            slider.minimum,
                            slider.maximum,
                            0,
                            step=slider.step,
                            label=slider.label,
                            elem_id=f"slider-{slider.name}",
                            buttons=[],
                        )
                        for slider in group
                    ]

    def render(request: gr.Request, inputs: Values, values: list[float]) -> dict[Any, Any]:
        config = RenderConfig(background.read(inputs), inputs[paste_back])
        edits = {slider.name: value for slider, value in zip(SLIDERS, values, strict=True)}
        file = sessions.get(request.session_hash).edit(inputs[source], edits, config)
        return {result: str(file), download: download_button(file)}

    def apply_sliders(request: gr.Request, inputs: Values) -> dict[Any, Any]:
        if inputs[source] is None:
            return {result: gr.skip()}
        return render(request, inputs, [inputs[slider] for slider in sliders])

    def reset_sliders(request: gr.Request, inputs: Values) -> dict[Any, Any]:
        """Set the sliders to the motion of the source image."""
        if inputs[source] is None:
            return {result: None, download: download_button(None)}
        motion = sessions.get(request.session_hash).load_source(inputs[source]).motion[0].cpu()
        return set_sliders(request, inputs, motion_to_slider_values(motion))

    def randomize(request: gr.Request, inputs: Values) -> dict[Any, Any]:
        return set_sliders(request, inputs, sample_slider_values(np.random.default_rng()))

    def set_sliders(request: gr.Request, inputs: Values, values: list[float]) -> dict[Any, Any]:
        return dict(zip(sliders, values, strict=True)) | render(request, inputs, values)

    inputs = {source, paste_back} | background.components
    outputs = [result, download]
    changes = [slider.input for slider in sliders]
    changes += [paste_back.input, background.kind.input, background.color.change, background.image.change]
    # While a slider is dragged, its newest value is taken once the one before is rendered.
    options = MODEL_QUEUE | {"trigger_mode": "always_last"}
    listen(changes, apply_sliders, inputs | set(sliders), outputs, **options)
    listen([source.change, reset.click], reset_sliders, inputs, [*sliders, *outputs], **MODEL_QUEUE)
    listen(random.click, randomize, inputs, [*sliders, *outputs], **MODEL_QUEUE)
