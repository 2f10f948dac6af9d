"""Command lines of training with tiny networks, and readers of what a run writes."""

from __future__ import annotations

import csv
import json
import math
import multiprocessing
import os
import socket
import sys
from pathlib import Path

import torch

from facegan.cli import main

STAGES = ("1_landmark_transform", "2_reenact", "3_background_mix", "4_joint")
MODEL, OPTIMIZER = "--model.init_args.", "--model.init_args.optimizer."
FIT_ONLY = ("--trainer.limit_train", "--trainer.max_epochs", "--trainer.num_sanity", "--trainer.log_every")
"""Beginnings of the options that only ``fit`` has."""
UNCOMPARED = ("dirpath", "best_model_path", "kth_best_model_path", "last_model_path", "best_k_models")
UNCOMPARED += ("current_score",)
"""What a checkpoint contains of its own place, and what ModelCheckpoint saves but does not restore."""
# Started once, with everything imported; its children cost no time, and take no threads or locks along.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["facegan.cli.training"])


def folder_of(stage: str) -> str:
    return stage.partition("_")[2]


def tiny(stage: str, runs: Path | None = None) -> list[str]:
    """Options for tiny networks; checkpoints of earlier stages from ``runs``."""
    name = folder_of(stage)
    if name == "landmark_transform":
        return [f"{MODEL}width=16"]
    words = [f"{MODEL}perceptual_network=identity"]
    if name in ("reenact_128", "reenact", "background_mix"):
        words += [
            f"{MODEL}generator.kind=global",
            f"{MODEL}generator.width=8",
            f"{MODEL}generator.num_residual_blocks=1",
        ]
        words += [f"{MODEL}generator.downsamplings=2", f"{MODEL}discriminator.width=8"]
        words += ["--data.init_args.size=64"]
    if name == "reenact":
        words += [f"{MODEL}global_checkpoint=null"]
    if name == "background_mix":
        words += (
            [f"{MODEL}reenact_checkpoint={runs}/reenact/checkpoints/last.ckpt"]
            if runs
            else [f"{MODEL}head=truth"]
        )
    if name == "joint":
        earlier = {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"}
        words += [
            f"{MODEL}{role}_checkpoint={runs}/{run}/checkpoints/last.ckpt" for role, run in earlier.items()
        ]
    return words


def second_phase(checkpoint: Path) -> list[str]:
    """A local enhancer around the tiny global generator of a checkpoint."""
    return [
        *(f"{MODEL}generator.kind=coarse_to_fine", f"{MODEL}generator.num_local_residual_blocks=1"),
        f"{MODEL}global_checkpoint={checkpoint}",
    ]


def arguments(stage: str, data: Path, out: Path, runs: Path | None = None) -> list[str]:
    """Train two batches of two pairs with the shared configuration."""
    words = ["fit", "-c", "lightning_config.yaml", "-c", f"stages/{stage}.yaml", "-c", "data/synthetic.yaml"]
    words += [f"--data.init_args.root={data}", f"--trainer.default_root_dir={out}"]
    words += ["--data.init_args.batch_size=2", "--data.init_args.workers=0"]
    words += ["--data.init_args.validation_pairs=4", "--trainer.limit_train_batches=2"]
    if stage != "1_landmark_transform":
        # The detectors take seconds to start.
        words += ["--data.init_args.protocol_pairs=0"]
    words += ["--trainer.max_epochs=1", "--trainer.num_sanity_val_steps=0", "--trainer.log_every_n_steps=1"]
    return words + tiny(stage, runs)


def exact(stage: str, data: Path, out: Path, runs: Path | None = None) -> list[str]:
    """The same on one processor, repeatable to the last bit, with only checkpoints and CSV beside it."""
    logger = {
        "class_path": "pytorch_lightning.loggers.CSVLogger",
        "init_args": {"save_dir": str(out), "name": "csv"},
    }
    words = [f"--trainer.logger={json.dumps(logger)}", callbacks()]
    words += ["--trainer.accelerator=cpu", "--trainer.devices=1", "--trainer.precision=32-true"]
    words += ["--trainer.deterministic=true", "--trainer.enable_progress_bar=false"]
    words += ["--trainer.enable_model_summary=false"]
    return arguments(stage, data, out, runs) + words


def callbacks(*entries: dict) -> str:
    return f"--trainer.callbacks={json.dumps(entries)}"


def saved(out: Path, name: str = "last") -> dict:
    return torch.load(out / f"checkpoints/{name}.ckpt", weights_only=True)


def progress(content: dict) -> dict[str, int]:
    """Count the batches and steps of a checkpoint."""
    batches = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["processed"]
    skipped, consecutive = (
        content["state_dict"][f"finite_steps.{name}"].item() for name in ("skipped", "consecutive")
    )
    return {
        "batches": batches,
        "steps": content["global_step"] - skipped,
        "skipped_steps": skipped,
        "consecutive_skips": consecutive,
    }


def measured(out: Path) -> list[dict[str, float]]:
    """The rows of the latest run's metrics, without empty fields."""
    versions = sorted((out / "csv").iterdir(), key=lambda folder: int(folder.name.removeprefix("version_")))
    with (versions[-1] / "metrics.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def curve(out: Path, name: str) -> list[float]:
    return [row[name] for row in measured(out) if name in row]


def finite(out: Path) -> bool:
    return all(math.isfinite(value) for row in measured(out) for value in row.values())


def differences(one: object, other: object, path: str = "") -> list[str]:
    """Where two checkpoints are not the same to the last bit, apart from the names of their folders."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in one.keys() | other.keys() if key not in UNCOMPARED]
        pairs = [(one.get(key), other.get(key), f"{path}.{key}") for key in sorted(keys, key=str)]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = [
            (ours, theirs, f"{path}[{i}]") for i, (ours, theirs) in enumerate(zip(one, other, strict=True))
        ]
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    else:
        return [] if one == other else [path]
    return [difference for pair in pairs for difference in differences(*pair)]


def started(runs: list[list[str]], log: Path, environment: dict[str, str] | None = None):
    """Start a process that runs these command lines in sequence, until the first failure."""
    process = SERVER.Process(target=_type, args=(runs, str(log), environment or {}))
    process.start()
    return process


def status_of(*lines: list[str], log: Path) -> int:
    """Return the exit status of a process, or minus the signal that killed it."""
    process = started(list(lines), log)
    process.join()
    return process.exitcode


def two_processes(lines: list[list[str]], log: Path) -> None:
    """Run the same lines in two processes with torchrun's environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": "2",
        "TORCHELASTIC_RUN_ID": "test",
    }
    together = [
        started(
            lines, log.with_name(f"{log.name}.{rank}"), shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        )
        for rank in range(2)
    ]
    for process in together:
        process.join()
    said = [log.with_name(f"{log.name}.{rank}").read_text()[-2000:] for rank in range(2)]
    assert [process.exitcode for process in together] == [0, 0], "\n".join(said)


def _type(lines: list[list[str]], log: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    torch.set_num_threads(1)
    with Path(log).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    for line in lines:
        status = main(line)
        sys.stdout.flush()
        if status:
            sys.exit(status)
