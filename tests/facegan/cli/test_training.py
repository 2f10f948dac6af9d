"""The stages' YAML files, and what is refused before anything is trained."""

import itertools
from pathlib import Path

import pytest
import pytorch_lightning as pl
import yaml

from facegan.cli import main
from facegan.errors import InputError
from facegan.stages import LandmarkTransformData, LandmarkTransformStage

pytestmark = pytest.mark.slow

STAGES = ("1_landmark_transform", "2_reenact_128", "2_reenact", "3_background_mix", "4_joint")
SMALL = tuple(path.stem for path in sorted(Path("stages/small").glob("*.yaml")))
FILES = [
    (stage, small) for stage, small in itertools.product(STAGES, (False, True)) if not small or stage in SMALL
]
WITH_GENERATOR = ("2_reenact_128", "2_reenact", "3_background_mix")
ADVERSARIAL = (*WITH_GENERATOR, "4_joint")


def files(stage, small=False):
    names = [
        "lightning_config.yaml",
        f"stages/{stage}.yaml",
        *([f"stages/small/{stage}.yaml"] if small else []),
    ]
    return [word for name in [*names, "data/synthetic.yaml"] for word in ("-c", name)]


@pytest.fixture
def printed(capsys):
    """The merged configuration of a stage."""

    def configuration(stage, small=False):
        with pytest.raises(SystemExit) as stopped:
            main(["fit", *files(stage, small), "--print_config"])
        assert stopped.value.code in (0, None)
        return yaml.safe_load(capsys.readouterr().out)

    return configuration


def test_small_overlays_belong_to_stages():
    assert set(SMALL) <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_stage_yaml_values_fixed_by_paper(printed, stage):
    configuration = printed(stage)
    model, data = configuration["model"]["init_args"], configuration["data"]["init_args"]
    if stage != "4_joint":
        assert model["optimizer"]["learning_rate"] == 2e-4
    assert data["batch_size"] == (32 if stage == "1_landmark_transform" else 1)
    if stage in ADVERSARIAL:
        assert model["adversarial"]["form"] == "log"
        assert model["adversarial"]["feature_matching"] == 0
    if stage in WITH_GENERATOR:
        assert model["discriminator"]["scales"] == 3
    if stage in ("2_reenact", "3_background_mix"):
        assert model["generator"]["kind"] == "coarse_to_fine"
    if stage == "2_reenact":
        assert data["size"] == 256
    if stage == "1_landmark_transform":
        assert model["connectivity_reference"] == "driving"


def test_stage_yaml_first_phase_is_global_generator_of_second(printed):
    """At half the size and twice the width."""
    first, second = printed("2_reenact_128"), printed("2_reenact")
    ours, theirs = (some["model"]["init_args"]["generator"] for some in (first, second))
    assert ours["kind"] == "global"
    assert ours["width"] == 2 * theirs["width"]
    for name in ("downsamplings", "num_residual_blocks", "norm", "use_skip_connections", "init"):
        assert ours[name] == theirs[name]
    assert 2 * first["data"]["init_args"]["size"] == second["data"]["init_args"]["size"]
    folder = first["trainer"]["default_root_dir"]
    assert second["model"]["init_args"]["global_checkpoint"] == f"{folder}/checkpoints/last.ckpt"
    different = ("generator", "global_checkpoint")
    ours, theirs = (
        {key: value for key, value in some["model"]["init_args"].items() if key not in different}
        for some in (first, second)
    )
    assert ours == theirs


def test_stage_yaml_checkpoints_are_found(printed):
    folders = {stage: printed(stage)["trainer"]["default_root_dir"] for stage in STAGES}
    assert len(set(folders.values())) == len(STAGES)
    joint, mixer = (printed(stage)["model"]["init_args"] for stage in ("4_joint", "3_background_mix"))
    for settings, role, stage in (
        (joint, "landmark", "1_landmark_transform"),
        (joint, "reenact", "2_reenact"),
        (joint, "background", "3_background_mix"),
        (mixer, "reenact", "2_reenact"),
    ):
        assert settings[f"{role}_checkpoint"] == f"{folders[stage]}/checkpoints/last.ckpt"


@pytest.mark.parametrize(("stage", "small"), FILES)
def test_stage_yaml_size_fits_generator(printed, stage, small):
    configuration = printed(stage, small)
    generator = configuration["model"]["init_args"].get("generator")
    if generator:
        size = configuration["data"]["init_args"]["size"] or 256
        assert size % 2 ** (generator["downsamplings"] + (generator["kind"] == "coarse_to_fine")) == 0


@pytest.fixture
def refused(capsys, prepared, tmp_path):
    """The one line with which training is refused before its first step."""

    def line(stage, *settings):
        words = [
            "fit",
            *files(stage),
            f"--data.init_args.root={prepared}",
            f"--trainer.default_root_dir={tmp_path}",
        ]
        words += ["--trainer.accelerator=cpu", "--trainer.logger=false", "--trainer.callbacks=[]"]
        if stage != "1_landmark_transform":
            words += ["--model.init_args.perceptual_network=identity"]
        if stage == "2_reenact":
            words += ["--data.init_args.size=64", *(f"--model.init_args.{word}" for word in TINY)]
        assert main([*words, *(f"--{setting}" for setting in settings)]) == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("facegan: ")
        assert not list(tmp_path.rglob("*.ckpt"))
        return last

    return line


TINY = (
    *("global_checkpoint=null", "generator.width=4"),
    *("generator.num_residual_blocks=0", "generator.downsamplings=2"),
)


# Each kind of refusal once; all values are tested where they are checked.
@pytest.mark.parametrize(
    "setting",
    [
        *("optimizer.learning_rate=-1", "optimizer.betas=[0.5]", "optimizer.muon_lr=fast"),
        *("optimizer.channels_last=maybe", "optimizer.momentum=0.9", "generator.kind=local"),
        *("generator.num_residual_blocks=-1", "discriminator.norm=batch", "adversarial.form=wasserstein"),
    ],
)
def test_fit_impossible_value_of_group_is_named(refused, setting):
    assert setting.partition("=")[0] in refused("2_reenact", f"model.init_args.{setting}")


@pytest.mark.parametrize(
    "setting", ["sigma=0", "sigma=wide", "loss_weights.jaccard=-1", "perceptual_network=resnet", "form=log"]
)
def test_fit_impossible_argument_of_stage_is_named(refused, setting):
    assert setting.partition("=")[0] in refused("2_reenact", f"model.init_args.{setting}")


@pytest.mark.parametrize(
    "setting", ["size=30", "size=128", "batch_size=41", "flip=2", "root=/nowhere", "root=[]", "batch=3"]
)
def test_fit_impossible_data_is_named(refused, setting):
    key, _, value = setting.partition("=")
    line = refused("2_reenact", f"data.init_args.{setting}")
    assert key in line or value in line


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("trainer.precision=16-true", "trainer.precision"),
        ("trainer.gradient_clip_algorithm=value", "trainer.gradient_clip_algorithm"),
        ("trainer.devices=0", "trainer: "),
        ("trainer.strategy=nonsense", "trainer: "),
        ("trainer.max_epochs=few", "trainer.max_epochs"),
        ("ckpt_path=nothing.ckpt", "nothing.ckpt"),
    ],
)
def test_fit_impossible_trainer_is_named(refused, setting, reason):
    assert reason in refused("1_landmark_transform", setting)


@pytest.mark.parametrize(
    ("stage", "settings", "reason"),
    [
        ("2_reenact", ["model.init_args.global_checkpoint=nothing.ckpt"], "nothing.ckpt"),
        ("3_background_mix", ["model.init_args.reenact_checkpoint=null"], "reenact_checkpoint"),
        ("3_background_mix", ["model.init_args.reenact_checkpoint=nothing.ckpt"], "nothing.ckpt"),
        ("3_background_mix", ["model.init_args.head=both"], "head"),
        ("4_joint", ["model.init_args.landmark_checkpoint=nothing.ckpt"], ".ckpt does not exist"),
        ("1_landmark_transform", ["model.init_args.width=0"], "width"),
        (
            "1_landmark_transform",
            ["model.init_args.optimizer.lr_decay_start_epoch=1", "trainer.max_epochs=-1"],
            "max_epochs",
        ),
    ],
)
def test_fit_missing_requirement_is_named(refused, stage, settings, reason):
    assert reason in refused(stage, *settings)


def test_fit_half_precision_is_refused(prepared):
    class Half(pl.plugins.Precision):
        precision = "16-true"

    trainer = pl.Trainer(accelerator="cpu", plugins=[Half()], logger=False, enable_checkpointing=False)
    with pytest.raises(InputError, match=r"trainer\.precision 16-true"):
        trainer.fit(LandmarkTransformStage(width=4), LandmarkTransformData(prepared))
