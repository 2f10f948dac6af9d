"""The paper's measures of a model on a data set, behind ``facegan evaluate``."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation.assess import Outcome, assess
from facegan.evaluation.observer import Observer, back_ends
from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.report import NUMBERS, PAPER, Report
from facegan.files import new_folder, require_free
from facegan.inference import Animator

MEAN_CROPS = 1000
"""Crops that the mean picture is taken of, at most."""


def evaluate(
    model: str,
    data: Path,
    out: Path,
    *,
    pairs: int = 200,
    seed: int = 0,
    device: str = "cpu",
    overwrite: bool = False,
    progress: bool = True,
) -> Report:
    """Runs self reenactment, cross reenactment and LSIM, and writes numbers, pictures and a report.

    ``out`` gets ``metrics.json``, ``self.png``, ``cross.png`` and ``report.html``, all at once when all
    is done. The people of the test split are used; without one those of val, then of train.

    Args:
        model: model folder, or ``owner/name`` on the hub.
        data: folder that ``facegan prepare`` wrote.
        out: folder for the results.
        pairs: pairs of each experiment; fewer if the data has no more.
        seed: of the choice of pairs.
        device: name of a device of PyTorch.
        overwrite: replace an earlier evaluation at ``out``.
        progress: show progress bars.

    Raises:
        InputError: if model, data or device are not to be used, or ``out`` is in use.
    """
    if pairs < 1 or seed < 0:
        msg = f"cannot evaluate {pairs} pairs with seed {seed}: at least 1 pair, and a seed of 0 or more"
        raise InputError(msg)
    out = Path(out).resolve()
    require_free(out, marker=NUMBERS, overwrite=overwrite)
    animator = Animator.from_pretrained(model, device)
    split, crops = _people(data, animator.size)
    mean, mean_crops = _mean_picture(FaceCrops(data, "train", animator.size), progress=progress)
    outcomes: dict[str, Outcome] = {}
    people = len(np.unique(crops.identity))
    left_out: dict[str, str] = {}
    with Observer(animator.device) as observer:
        for name, protocol in PROTOCOLS.items():
            trials = protocol.choose(crops, pairs, seed)
            if not len(trials.source):
                left_out[name] = _reason(name, split, people)
                continue
            outcomes[name] = assess(
                animator.model,
                crops,
                trials,
                protocol,
                observer,
                mean=mean,
                device=animator.device,
                progress=progress,
            )
    if not outcomes:
        msg = f"{data} has nothing to measure: {'; '.join(left_out.values())}; prepare more videos"
        raise InputError(msg)
    metrics = {
        "model": {"name": str(model), "size": animator.size},
        "data": {"name": str(data), "split": split, "crops": len(crops), "identities": people},
        "settings": {"pairs": pairs, "seed": seed, "device": device},
        "protocols": {name: outcome.as_dict() for name, outcome in outcomes.items()},
        "left_out": left_out,
        "mean_picture_crops": mean_crops,
        "paper": PAPER,
        "back_ends": back_ends(),
        "software": _software(),
    }
    report = Report(out, metrics, {name: o.columns for name, o in outcomes.items() if o.columns})
    with new_folder(out, marker=NUMBERS, overwrite=overwrite) as folder:
        report.write(folder)
    return report


def _people(data: Path, size: int) -> tuple[str, FaceCrops]:
    """The first split that has crops, those first that the model was not trained on."""
    for split in ("test", "val", "train"):
        crops = FaceCrops(data, split, size)
        if len(crops):
            return split, crops
    msg = f"{data} holds no crops: prepare it anew"
    raise InputError(msg)


def _mean_picture(crops: FaceCrops, *, progress: bool) -> tuple[torch.Tensor | None, int]:
    """The mean of crops evenly over the data, 3×S×S in -1..1, and of how many; None of none."""
    chosen = np.linspace(0, len(crops) - 1, min(MEAN_CROPS, len(crops))).round().astype(int)
    if not len(chosen):
        return None, 0
    console = Console(stderr=True)
    total = torch.zeros(3, crops.size, crops.size)
    for index in track(chosen, f"{'Mean picture':20}", console=console, disable=not progress):
        total += crops.picture(int(index))
    return total / len(chosen), len(chosen)


def _reason(protocol: str, split: str, people: int) -> str:
    if protocol != "self" and people < 2:
        return f"the {split} split has one person only"
    lacking = "track" if protocol == "self" else "person"
    return f"no {lacking} of the {split} split has two crops"


def _software() -> dict[str, str]:
    packages = ("facegan", "torch", "torchmetrics", "mediapipe", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
