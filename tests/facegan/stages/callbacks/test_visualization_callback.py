"""Images, action-unit grid and video: content, files and loggers, and no effect on training."""

import csv
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import wandb
from PIL import Image
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger, WandbLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from facegan.data import FacePair, read_pair
from facegan.errors import InputError
from facegan.geometry.motion import MOTION_NAMES, NUM_MOTION_PARAMS, build_action_unit_grid
from facegan.io.images import tensor_to_images
from facegan.stages import ImageLogger, JointData, LandmarkTransformData, LandmarkTransformStage
from facegan.stages.base_stage import BaseStage
from facegan.stages.callbacks.action_unit_grid_logger import (
    TITLES,
    ActionUnitGridLogger,
    make_grid_row,
)
from facegan.stages.callbacks.video_logger import VideoLogger, compute_frame_rate

pytestmark = pytest.mark.slow


class MotionStage(BaseStage):
    """Visualizes the driving motion: a stripe for each motion parameter."""

    result_title = "result I_r"
    is_motion_conditioned = True

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        assert not torch.is_grad_enabled()
        size = pair.source_image.shape[-1]
        row = pair.driving_motion[:, torch.arange(size) * NUM_MOTION_PARAMS // size]
        return {
            "source I_s": pair.source_image,
            self.result_title: row[:, None, None].expand(-1, 3, size, -1),
        }


class UnconditionedStage(MotionStage):
    is_motion_conditioned = False


def visualizations() -> list[pl.Callback]:
    return [ImageLogger(pairs=3), ActionUnitGridLogger(every_n_epochs=2), VideoLogger(every_n_epochs=2)]


def fit(
    data: Path, folder: Path, callbacks: list[pl.Callback], loggers: object = False, epochs: int = 2
) -> LandmarkTransformStage:
    """Stage 1, trained for a moment."""
    pl.seed_everything(3, verbose=False)
    stage = LandmarkTransformStage(width=16, layers=1)
    trainer = pl.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_epochs=epochs,
        limit_train_batches=2,
        log_every_n_steps=1,
        logger=loggers,
        callbacks=callbacks,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(stage, LandmarkTransformData(data, batch_size=4, validation_pairs=8))
    return stage


@contextmanager
def wandb_logger(folder: Path) -> Iterator[WandbLogger]:
    """A logger with a run of its own."""
    wandb.finish()
    yield WandbLogger(project="facegan", save_dir=folder, offline=True)
    wandb.finish()


@pytest.fixture(scope="module")
def run(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stage 1 with all loggers, four epochs."""
    folder = tmp_path_factory.mktemp("run")
    with wandb_logger(folder) as logger:
        loggers = [logger, TensorBoardLogger(folder, name="tensorboard"), CSVLogger(folder, name="csv")]
        fit(prepared, folder, visualizations(), loggers, epochs=4)
    return folder


@pytest.fixture
def trainer(tmp_path: Path) -> pl.Trainer:
    return pl.Trainer(default_root_dir=tmp_path, accelerator="cpu", max_epochs=1, logger=False)


@pytest.fixture(scope="module")
def data(prepared: Path) -> JointData:
    data = JointData(prepared, validation_pairs=8)
    data.setup("validate")
    return data


def random_states() -> tuple[object, ...]:
    """Those of torch, numpy and Python."""
    return torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()  # noqa: NPY002


def test_callbacks_files_are_written_in_due_epochs(run: Path) -> None:
    assert [path.name for path in sorted(run.glob("images/*"))] == [f"epoch_000{n}.png" for n in range(4)]
    # Every second from the first on, and the last.
    assert [path.name for path in sorted(run.glob("action_unit_grid/*"))] == [
        f"epoch_000{n}.png" for n in (0, 2, 3)
    ]
    assert [path.name for path in sorted(run.glob("videos/*"))] == [f"epoch_000{n}.mp4" for n in (0, 2, 3)]


def test_callbacks_log_at_step_of_validation(run: Path) -> None:
    with next(run.glob("csv/version_0/metrics.csv")).open(newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file) if row["val/landmark_error"]]
    board = EventAccumulator(str(run / "tensorboard/version_0"), size_guidance={"images": 0}).Reload()
    assert [event.step for event in board.Images("val/images")] == steps
    assert [event.step for event in board.Images("val/action_unit_grid")] == [steps[n] for n in (0, 2, 3)]
    logged = board.Images("val/images")[-1]
    assert (logged.width, logged.height) == Image.open(run / "images/epoch_0003.png").size
    media = next(run.glob("wandb/offline-run-*/files/media"))
    assert len(list(media.glob("images/val/images*.png"))) == 4
    assert len(list(media.glob("images/val/action_unit_grid*.png"))) == 3
    assert len(list(media.glob("videos/val/videos*.mp4"))) == 3


def test_image_logger_same_pairs_in_every_epoch(run: Path) -> None:
    first, last = (np.asarray(Image.open(run / f"images/epoch_000{n}.png")) for n in (0, 3))
    third = first.shape[1] // 3
    # Source and driver; the third column is what is trained.
    assert (first[:, : 2 * third] == last[:, : 2 * third]).all()
    assert (first[:, 2 * third :] != last[:, 2 * third :]).any()


def test_callbacks_do_not_change_training(prepared: Path, tmp_path: Path) -> None:
    watched = fit(prepared, tmp_path / "watched", visualizations()).state_dict()
    alone = fit(prepared, tmp_path / "alone", []).state_dict()
    for name, value in alone.items():
        torch.testing.assert_close(watched[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("callback", visualizations(), ids=lambda callback: type(callback).__name__)
def test_callbacks_consume_no_random_numbers(
    callback, trainer: pl.Trainer, data: JointData, tmp_path: Path
) -> None:
    with wandb_logger(tmp_path) as logger, torch.no_grad():
        trainer.loggers = [logger, TensorBoardLogger(tmp_path)]
        assert logger.experiment
        before = random_states()
        callback.visualize(trainer, MotionStage(), data)
        assert random_states() == before
    assert any(tmp_path.glob("*/epoch_0000.*"))


def test_callbacks_validate_writes_nothing(prepared: Path, tmp_path: Path) -> None:
    trainer = pl.Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        callbacks=visualizations(),
        enable_progress_bar=False,
    )
    trainer.validate(
        LandmarkTransformStage(width=16, layers=1),
        LandmarkTransformData(prepared, validation_pairs=4),
        verbose=False,
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["AU01", "AU45", "pitch", "roll"])
def test_make_grid_row_varies_its_parameter_only(data: JointData, name: str) -> None:
    source = read_pair(data.val.crops, 0, 0)
    with torch.no_grad():
        row = make_grid_row(MotionStage(), source, name)
    assert (row[0] == tensor_to_images(source.source_image[None])).all()
    # The stripe of this number, and those of the others.
    stripe = np.arange(64) * NUM_MOTION_PARAMS // 64 == MOTION_NAMES.index(name)
    index = MOTION_NAMES.index(name)
    values = build_action_unit_grid(source.source_motion)[index, :, index]
    levels = np.round((values.numpy() + 1) * 127.5)
    assert np.abs(row[1:6][:, :, stripe] - levels[:, None, None, None]).max() <= 1
    assert (row[1:6][:, :, ~stripe] == row[1][:, ~stripe]).all()
    assert (row[6][:, stripe] == 255).all()
    assert (row[6][:, ~stripe] == 0).all()


def test_action_unit_grid_has_row_per_parameter(trainer: pl.Trainer, data: JointData, tmp_path: Path) -> None:
    with torch.no_grad():
        ActionUnitGridLogger().visualize(trainer, MotionStage(), data)
    sheet = Image.open(tmp_path / "action_unit_grid/epoch_0000.png")
    step = 128 + 4
    assert sheet.width // step == 2 * len(TITLES)
    assert sheet.height // step == len(MOTION_NAMES) // 2


def test_action_unit_grid_unconditioned_stage_is_skipped(
    trainer: pl.Trainer, data: JointData, tmp_path: Path
) -> None:
    ActionUnitGridLogger().visualize(trainer, UnconditionedStage(), data)
    assert not (tmp_path / "action_unit_grid").exists()


def decoded(path: Path) -> tuple[list[np.ndarray], float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)], float(
            stream.average_rate or 0
        )


@pytest.mark.parametrize("limit", [120, 9])
def test_video_logger_follows_track_up_to_max_frames(
    trainer: pl.Trainer, data: JointData, tmp_path: Path, limit: int
) -> None:
    with torch.no_grad():
        VideoLogger(max_frames=limit).visualize(trainer, MotionStage(), data)
    frames, rate = decoded(tmp_path / "videos/epoch_0000.mp4")
    crops = data.val.crops
    assert len(frames) == min(limit, np.bincount(crops.track).max())
    assert rate == pytest.approx(25, abs=0.1)
    # The source stands still, the driver moves.
    width = frames[0].shape[1] // 3
    source, driver = (np.stack([f[20:, n * width : (n + 1) * width] for f in frames]) for n in (0, 1))
    change = [np.abs(part[-1].astype(int) - part[0]).mean() for part in (source, driver)]
    assert change[0] < 2 < change[1]


def test_compute_frame_rate_every_third_frame_is_a_third(data: JointData) -> None:
    crops = data.val.crops
    members = np.flatnonzero(crops.track == crops.track[0])
    assert compute_frame_rate(crops, members) == pytest.approx(25, abs=0.1)
    assert compute_frame_rate(crops, members[::3]) == pytest.approx(25 / 3, abs=0.1)
    assert compute_frame_rate(crops, members[:1]) > 0


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: ImageLogger(pairs=0), "pairs"),
        (lambda: ActionUnitGridLogger(every_n_epochs=0), "every_n_epochs"),
        (lambda: VideoLogger(max_frames=0), "max_frames"),
    ],
)
def test_callbacks_impossible_arguments_are_refused(make, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is 0"):
        make()
