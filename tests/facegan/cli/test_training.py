"""What can be set, what stands in the YAMLs, and what is refused before anything is trained."""

import itertools
import re
from pathlib import Path

import pytest
import pytorch_lightning as pl
import yaml

from facegan.cli import main
from facegan.errors import InputError
from facegan.stages import LandmarkTransformData, LandmarkTransformStage

STAGES = ("1_landmark_transform", "2_reenact_128", "2_reenact", "3_background_mix", "4_joint")
SMALL = tuple(path.stem for path in sorted(Path("stages/small").glob("*.yaml")))
FILES = [
    (stage, small) for stage, small in itertools.product(STAGES, (False, True)) if not small or stage in SMALL
]
PAINTERS = ("2_reenact_128", "2_reenact", "3_background_mix")
ADVERSARIAL = (*PAINTERS, "4_joint")
OPTIMISATION = {
    *(
        "learning_rate",
        "betas",
        "muon_lr",
        "discriminator_lr",
        "lr_decay_start_epoch",
        "accumulate",
        "gradient_clip",
    ),
    *("ema_halflife", "max_consecutive_nan_steps", "channels_last", "compile", "checkpoint_activations"),
}
KEYS = {
    "adversarial": {"weight", "form", "feature_matching", "gradient_penalty"},
    "generator": {
        "kind",
        "width",
        "downsamplings",
        "blocks",
        "local_blocks",
        "norm",
        "skips",
        "init",
    },
    "discriminator": {"width", "layers", "scales", "norm", "spectral_norm"},
}


def files(stage, small=False):
    names = [
        "lightning_config.yaml",
        f"stages/{stage}.yaml",
        *([f"stages/small/{stage}.yaml"] if small else []),
    ]
    return [word for name in [*names, "data/synthetic.yaml"] for word in ("-c", name)]


@pytest.fixture
def printed(capsys):
    """The configuration that a stage is trained with."""

    def configuration(stage, small=False):
        with pytest.raises(SystemExit) as stopped:
            main(["fit", *files(stage, small), "--print_config"])
        assert stopped.value.code in (0, None)
        return yaml.safe_load(capsys.readouterr().out)

    return configuration


def test_every_overlay_belongs_to_a_stage():
    assert set(SMALL) <= set(STAGES)


@pytest.mark.parametrize(("stage", "small"), FILES)
def test_every_key_is_there(printed, stage, small):
    settings = printed(stage, small)["model"]["init_args"]
    assert settings["optimizer"].keys() == OPTIMISATION
    groups = {
        "adversarial": stage in ADVERSARIAL,
        "generator": stage in PAINTERS,
        "discriminator": stage in PAINTERS,
    }
    for group, there in groups.items():
        assert (group in settings) == there
        assert settings.get(group, {}).keys() == (KEYS[group] if there else set())


@pytest.mark.parametrize("stage", STAGES)
def test_what_the_paper_fixes_is_the_papers(printed, stage):
    configuration = printed(stage)
    model, data = configuration["model"]["init_args"], configuration["data"]["init_args"]
    if stage != "4_joint":
        assert model["optimizer"]["learning_rate"] == 2e-4
    assert data["batch_size"] == (32 if stage == "1_landmark_transform" else 1)
    if stage in ADVERSARIAL:
        assert model["adversarial"]["form"] == "log"
        assert model["adversarial"]["feature_matching"] == model["adversarial"]["gradient_penalty"] == 0
    if stage in PAINTERS:
        assert model["discriminator"]["scales"] == 3
    if stage in ("2_reenact", "3_background_mix"):
        assert model["generator"]["kind"] == "coarse_to_fine"
    if stage == "2_reenact":
        assert data["size"] == 256
    if stage == "1_landmark_transform":
        assert model["connectivity_reference"] == "driving"


@pytest.mark.parametrize("stage", STAGES)
def test_every_key_in_a_file_says_whether_it_is_the_papers(stage):
    """No number without a word; the values said to be fixed are those that are tested above."""
    lines = Path(f"stages/{stage}.yaml").read_text().splitlines()
    model = lines[lines.index("  init_args:") : lines.index("data:")]
    values = [line for line in model if re.match(r"\s+\w+: [^#]+", line) and "checkpoint" not in line]
    assert not [line for line in values if "#" not in line and stage in ("1_landmark_transform", "2_reenact")]
    fixed = {line.split(":")[0].strip() for line in lines if "# fixed" in line}
    known = {"learning_rate", "batch_size", "scales", "form", "kind", "size", "generator", "discriminator"}
    assert fixed <= known


def test_progressive_training_fits_together(printed):
    """The first phase is the second one's global generator, at half the size and twice the width."""
    first, second = printed("2_reenact_128"), printed("2_reenact")
    ours, theirs = (some["model"]["init_args"]["generator"] for some in (first, second))
    assert ours["kind"] == "global"
    assert ours["width"] == 2 * theirs["width"]
    for name in ("downsamplings", "blocks", "norm", "skips"):
        assert ours[name] == theirs[name]
    assert 2 * first["data"]["init_args"]["size"] == second["data"]["init_args"]["size"]
    folder = first["trainer"]["default_root_dir"]
    assert second["model"]["init_args"]["global_checkpoint"] == f"{folder}/checkpoints/last.ckpt"
    for group in ("discriminator", "adversarial", "optimizer"):
        assert first["model"]["init_args"][group] == second["model"]["init_args"][group]


def test_stages_find_each_other(printed):
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
def test_pictures_fit_the_generators(printed, stage, small):
    configuration = printed(stage, small)
    generator = configuration["model"]["init_args"].get("generator")
    if generator:
        size = configuration["data"]["init_args"]["size"] or 256
        assert size % 2 ** (generator["downsamplings"] + (generator["kind"] == "coarse_to_fine")) == 0


@pytest.fixture
def refused(capsys, prepared, tmp_path):
    """The one line that a training dies with before its first step."""

    def line(stage, *settings):
        words = [
            "fit",
            *files(stage),
            f"--data.init_args.root={prepared}",
            f"--trainer.default_root_dir={tmp_path}",
        ]
        words += ["--trainer.accelerator=cpu", "--trainer.logger=false", f"--trainer.callbacks={CHECKPOINTS}"]
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


CHECKPOINTS = '[{"class_path": "facegan.stages.Checkpoints"}]'
TINY = ("global_checkpoint=null", "generator.width=4", "generator.blocks=0", "generator.downsamplings=2")
NUMBERS = {
    "optimizer": [
        *("learning_rate=-1", "learning_rate=fast", "learning_rate=.nan", "discriminator_lr=-1"),
        "muon_lr=-1",
        *(
            "betas=[0.5, 1]",
            "betas=[0.5]",
            "lr_decay_start_epoch=-1",
            "lr_decay_start_epoch=1.5",
            "accumulate=0",
        ),
        *(
            "accumulate=1.5",
            "gradient_clip=-1",
            "ema_halflife=-3",
            "max_consecutive_nan_steps=0",
            "channels_last=maybe",
        ),
        *("compile=maybe", "momentum=0.9"),
    ],
    "generator": [
        *(
            "kind=local",
            "width=0",
            "width=wide",
            "blocks=-1",
            "downsamplings=-1",
            "local_blocks=-1",
            "norm=batch",
        ),
        *("skips=maybe", "depth=3"),
    ],
    "discriminator": ["width=0", "layers=0", "scales=0", "norm=batch", "spectral_norm=maybe"],
    "adversarial": [
        "weight=-1",
        "form=wasserstein",
        "feature_matching=-1",
        "gradient_penalty=-1",
        "weight=heavy",
    ],
}


@pytest.mark.parametrize("setting", [f"{group}.{word}" for group, words in NUMBERS.items() for word in words])
def test_impossible_settings_are_named(refused, setting):
    group, key = setting.partition("=")[0].split(".")
    assert f"{group}.{key}" in refused("2_reenact", f"model.init_args.{setting}")


@pytest.mark.parametrize(
    "setting",
    [
        *("sigma=0", "sigma=-1", "sigma=wide", "reconstruction_weight=-1", "segmentation_weight=-0.1"),
        *("perceptual_network=resnet", "freeze_global_epochs=-1", "learning_rate=1e-4", "form=log"),
    ],
)
def test_impossible_settings_of_a_stage_are_named(refused, setting):
    assert setting.partition("=")[0] in refused("2_reenact", f"model.init_args.{setting}")


@pytest.mark.parametrize(
    "setting",
    [
        *(
            "size=0",
            "size=30",
            "size=128",
            "batch_size=0",
            "batch_size=41",
            "workers=-1",
            "validation_pairs=0",
        ),
        *(
            "flip=2",
            "flip=-1",
            "color=-1",
            "root=/nowhere",
            "root=[]",
            "aligned_background=maybe",
            "batch=3",
        ),
    ],
)
def test_impossible_data_are_named(refused, setting):
    key, _, value = setting.partition("=")
    line = refused("2_reenact", f"data.init_args.{setting}")
    assert key in line or value in line


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("trainer.precision=16-true", "trainer.precision"),
        ("trainer.precision=bf16-true", "trainer.precision"),
        ("trainer.precision=8", "trainer.precision"),
        ("trainer.gradient_clip_val=1", "optimizer.gradient_clip"),
        ("trainer.accumulate_grad_batches=2", "optimizer.accumulate"),
        ("trainer.devices=0", "trainer: "),
        ("trainer.strategy=nonsense", "trainer: "),
        ("trainer.limit_train_batches=-3", "limit_train_batches"),
        ("trainer.max_epochs=few", "trainer.max_epochs"),
        ("ckpt_path=nothing.ckpt", "nothing.ckpt"),
    ],
)
def test_impossible_trainers_are_named(refused, setting, reason):
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
        ("1_landmark_transform", ["model.init_args.layers=-1"], "layers"),
        (
            "1_landmark_transform",
            ["model.init_args.optimizer.lr_decay_start_epoch=1", "trainer.max_epochs=-1"],
            "max_epochs",
        ),
    ],
)
def test_what_a_stage_needs_is_named(refused, stage, settings, reason):
    assert reason in refused(stage, *settings)


def test_half_precision_is_refused_where_it_would_be_used(prepared):
    """On processors Lightning takes bf16 for it, with a warning."""

    class Half(pl.plugins.Precision):
        precision = "16-mixed"

    trainer = pl.Trainer(accelerator="cpu", plugins=[Half()], logger=False, enable_checkpointing=False)
    with pytest.raises(InputError, match=r"trainer\.precision 16-mixed"):
        trainer.fit(LandmarkTransformStage(width=4), LandmarkTransformData(prepared))
