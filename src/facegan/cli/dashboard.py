"""``make dashboard``: a workspace view for the runs in a Weights & Biases project."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from facegan.errors import InputError
from facegan.stages.validation_metrics import IMAGE_METRICS

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace

STEP = "trainer/global_step"
"""Number of batches, which Lightning logs with every value."""

TERMS = {
    "landmark": ("landmark", "displacement", "action_unit", "connectivity"),
    "reenact": ("reconstruction", "perceptual", "segmentation", "jaccard"),
    "background": ("reconstruction", "perceptual", "mask_smoothness", "mask_norm", "head_reconstruction"),
}
"""Terms of L_l, L_r and L_b; the joint stage logs them as ``part/term``."""
GAN_PARTS = ("", "reenact/", "background/")
"""Prefixes of adversarial terms: of stages 2 and 3, and of the joint stage."""
LOSSES = {
    "generators": ["generator/total"],
    "discriminators": ["discriminator/total", *(f"discriminator/{part}adversarial" for part in GAN_PARTS)],
    "adversarial": [
        f"generator/{part}{term}" for part in GAN_PARTS for term in ("adversarial", "feature_matching")
    ],
    "stage 1": [f"generator/{term}" for term in TERMS["landmark"]],
    "stages 2 and 3": [f"generator/{term}" for term in dict.fromkeys(TERMS["reenact"] + TERMS["background"])],
    **{
        f"joint stage, {part}": [f"generator/{part}/{term}" for term in terms]
        for part, terms in TERMS.items()
    },
}
OPTIMIZATION = {
    "gradient norms": ["generator/gradient_norm", "discriminator/gradient_norm"],
    "learning rate": ["learning_rate"],
    "images per second": ["images_per_second"],
    "skipped steps": ["skipped_steps"],
}
LOGARITHMIC = ("gradient norms",)
METRICS = {
    "mse": ("copy_source", "naive_composite"),
    "head_mse": ("copy_source",),
    "background_mse": ("copy_source",),
    "disoccluded_mse": ("naive_composite",),
    "perceptual": ("copy_source",),
    "landmark_error": ("copy_source",),
    **dict.fromkeys(
        ("action_unit_error", "head_iou", "face_iou", "hair_iou", "mask_on_head", "mask_on_background"), ()
    ),
}
"""Validation metrics and their baselines."""
PROTOCOLS = {
    "self": ("mse", "ssim", "perceptual", "csim", "psim", "ed", "landmark_error"),
    "cross": ("csim", "psim", "ed"),
    "lsim": ("lsim",),
}
"""Evaluation protocols and their metrics: the paper's Table 2 over training."""
IMAGES, VIDEOS = ("val/images", "val/action_unit_grid"), ("val/videos",)


def build_dashboard(entity: str, project: str) -> Workspace:
    """Build the view: sections Losses, Optimization, Evaluation, Validation, Images, Videos.

    Every metric is plotted with its baselines and half the width of its 95 % interval.

    Args:
        entity: user or team.
        project: to which the runs were synchronized.

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

    validation = {
        name: [name, *(f"{name}/{suffix}" for suffix in (*baselines, "ci95_half_width"))]
        for name, baselines in METRICS.items()
    }
    evaluation = {
        f"{protocol}/{name}": [f"{protocol}/{name}{suffix}" for suffix in _baselines(protocol, name)]
        for protocol, names in PROTOCOLS.items()
        for name in names
    }
    return Workspace(
        entity=entity,
        project=project,
        name="facegan",
        sections=[
            # A batch may be a single pair, whose losses are noisy.
            lines("Losses", "train", LOSSES, smoothing=0.9),
            lines("Optimization", "train", OPTIMIZATION),
            lines("Evaluation", "val", evaluation),
            lines("Validation", "val", validation),
            media("Images", IMAGES),
            media("Videos", VIDEOS),
        ],
    )


def _baselines(protocol: str, name: str) -> tuple[str, ...]:
    """Return the suffixes of a metric's lines; the driving image copied is the target of pixels."""
    pixels = protocol == "self" and name in IMAGE_METRICS
    return ("", "/copy_source") if pixels else ("", "/copy_source", "/copy_driving")


def save_dashboard(view: Workspace) -> str:
    """Save the view to the user's project.

    Returns:
        Its URL.

    Raises:
        InputError: without a login, a connection or the project.
    """
    import wandb

    try:
        if wandb.login(prompt=False):
            return str(view.save().url)  # type: ignore[no-untyped-call]
    except Exception as error:  # the client's errors have no common class
        reason = " ".join(str(error).split())
        msg = f"Weights & Biases did not take the dashboard for {view.entity}/{view.project}: {reason}"
        raise InputError(msg) from error
    msg = "not logged in to Weights & Biases: run wandb login once, or set WANDB_API_KEY"
    raise InputError(msg)


def main(arguments: Sequence[str] | None = None) -> int:
    """Save the dashboard and print its URL.

    Args:
        arguments: of the command line.

    Returns:
        0, or 2 if it could not be saved.
    """
    parser = argparse.ArgumentParser(prog="python -m facegan.cli.dashboard", description=__doc__)
    parser.add_argument("--entity", required=True, help="user or team at Weights & Biases")
    parser.add_argument("--project", default="facegan", help="project of the runs (default: facegan)")
    given = parser.parse_args(arguments)
    try:
        url = save_dashboard(build_dashboard(given.entity, given.project))
    except InputError as error:
        sys.stderr.write(f"facegan: {error}\n")
        return 2
    sys.stdout.write(f"{url}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
