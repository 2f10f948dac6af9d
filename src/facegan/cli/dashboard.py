"""``make dashboard``: a view of the runs in a Weights & Biases project, laid out for these stages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from facegan.errors import InputError

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace

STEP = "trainer/global_step"
"""Batches, as Lightning counts them beside every number."""

PARTS = {
    "landmark": ("landmark", "movement", "action_unit", "connectivity"),
    "reenact": ("reconstruction", "perceptual", "segmentation", "overlap"),
    "background": ("reconstruction", "perceptual", "mask_smoothness", "mask_norm", "painted"),
}
"""Terms of L_l, L_r and L_b; the joint stage writes the part before each."""
LOSSES = {
    "generators": ["generator"],
    "discriminators": ["discriminator", "discrimination", "gradient_penalty"],
    "adversarial": ["adversarial", "feature_matching"],
    "stage 1, landmarks": [*PARTS["landmark"]],
    "stages 2 and 3, pictures": [*dict.fromkeys(PARTS["reenact"] + PARTS["background"])],
    **{f"joint, {part}": [f"{part}_{term}" for term in terms] for part, terms in PARTS.items()},
}
WORK = {
    "gradient norms": ["gradient_norm_generator", "gradient_norm_discriminator"],
    "learning rate": ["learning_rate"],
    "pictures a second": ["images_per_second"],
    "skipped steps": ["skipped_steps"],
}
LOGARITHMIC = ("gradient norms",)
MEASURES = {
    "mse": ("of_source", "of_paste"),
    "head_mse": ("of_source",),
    "background_mse": ("of_source",),
    "hole_mse": ("of_paste",),
    "perceptual": ("of_source",),
    "landmark_error": ("of_source",),
    **dict.fromkeys(
        ("action_unit_error", "head_iou", "face_iou", "hair_iou", "mask_on_head", "mask_on_background"), ()
    ),
}
"""What validation measures, and which baselines stand beside it."""
PICTURES, VIDEOS = ("val/panels", "val/sweep"), ("val/videos",)


def dashboard(entity: str, project: str) -> Workspace:
    """The view: sections Losses, Gradients and speed, Validation, Pictures, Videos.

    Every measure is drawn with its baselines and half the width of its 95 % interval.

    Args:
        entity: user or team.
        project: that the runs were synchronized to.

    Raises:
        InputError: without wandb-workspaces.
    """
    try:
        from wandb_workspaces.reports.v2.interface import LinePlot, MediaBrowser
        from wandb_workspaces.workspaces import Section, SectionLayoutSettings, Workspace
    except ImportError as error:
        msg = "the dashboard needs wandb-workspaces: pip install 'facegan[dashboard]'"
        raise InputError(msg) from error

    def lines(title: str, prefix: str, plots: dict[str, list[str]], smoothing: float = 0) -> Section:
        return Section(
            name=title,
            panels=[
                LinePlot(
                    title=name,
                    x=STEP,
                    y=[f"{prefix}/{line}" for line in names],
                    log_y=name in LOGARITHMIC,
                    smoothing_type="exponentialTimeWeighted",
                    smoothing_factor=smoothing,
                )
                for name, names in plots.items()
            ],
            is_open=True,
        )

    def media(title: str, keys: Sequence[str]) -> Section:
        return Section(
            name=title,
            panels=[MediaBrowser(title=key, media_keys=[key], gallery_axis="step") for key in keys],
            layout_settings=SectionLayoutSettings(columns=1, rows=len(keys)),
            is_open=True,
        )

    measured = {
        name: [name, *(f"{name}_{suffix}" for suffix in (*baselines, "ci95"))]
        for name, baselines in MEASURES.items()
    }
    return Workspace(
        entity=entity,
        project=project,
        name="facegan",
        sections=[
            # A batch may be a single pair: what it loses says little.
            lines("Losses", "train", LOSSES, smoothing=0.9),
            lines("Gradients and speed", "train", WORK),
            lines("Validation", "val", measured),
            media("Pictures", PICTURES),
            media("Videos", VIDEOS),
        ],
    )


def save(view: Workspace) -> str:
    """Saves the view to the user's project.

    Returns:
        Its address.

    Raises:
        InputError: without a login or a connection, or if there is no such project.
    """
    import wandb

    try:
        if wandb.login(prompt=False):
            return str(view.save().url)  # type: ignore[no-untyped-call]
    except Exception as error:  # the client's failures have no common class
        reason = " ".join(str(error).split())
        msg = f"Weights & Biases did not take the dashboard for {view.entity}/{view.project}: {reason}"
        raise InputError(msg) from error
    msg = "not logged in to Weights & Biases: run wandb login once, or set WANDB_API_KEY"
    raise InputError(msg)


def main(arguments: Sequence[str] | None = None) -> int:
    """Saves the dashboard and prints its address.

    Args:
        arguments: as typed.

    Returns:
        0, or 2 if it could not be saved.
    """
    parser = argparse.ArgumentParser(prog="python -m facegan.cli.dashboard", description=__doc__)
    parser.add_argument("--entity", required=True, help="user or team at Weights & Biases")
    parser.add_argument("--project", default="facegan", help="project of the runs (default: facegan)")
    given = parser.parse_args(arguments)
    try:
        address = save(dashboard(given.entity, given.project))
    except InputError as error:
        sys.stderr.write(f"facegan: {error}\n")
        return 2
    sys.stdout.write(f"{address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
