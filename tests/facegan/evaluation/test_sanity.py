"""The measures rank drawn answers as they should, and real frames."""

import csv
from pathlib import Path

import pytest

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation import MetricBackends
from facegan.evaluation.sanity import ANSWER, MUST_IGNORE, MUST_TELL, Drawn, drawn, filmed
from facegan.preparation import PrepareConfig, find_videos, prepare_videos


@pytest.fixture(scope="module")
def results() -> Drawn:
    with MetricBackends().open() as observer:
        return drawn(12, observer)


@pytest.mark.parametrize(("key", "candidate"), [(k, c) for k, names in MUST_TELL.items() for c in names])
def test_the_true_answer_is_better_than_a_wrong_one(results: Drawn, key: str, candidate: str) -> None:
    assert results.told(key, candidate) >= 0.9


@pytest.mark.parametrize(("key", "candidate"), [(k, c) for k, names in MUST_IGNORE.items() for c in names])
def test_what_does_not_matter_hardly_moves_a_measure(results: Drawn, key: str, candidate: str) -> None:
    assert abs(results.moved(key, candidate)) <= 0.15


def test_nothing_is_perfect_but_a_copy(results: Drawn) -> None:
    assert results.values["csim"]["the source's picture"].min() == pytest.approx(1, abs=1e-6)
    assert results.values["ed"]["the driver's picture"].max() == pytest.approx(0, abs=1e-6)
    assert results.values["ed"][ANSWER].min() > 0


def test_too_few_people() -> None:
    with MetricBackends().open() as observer, pytest.raises(InputError, match="3 or more"):
        drawn(2, observer)


def test_frames_of_people_with_two_videos(crops: FaceCrops) -> None:
    with MetricBackends().open() as observer:
        result = filmed(crops, observer)
    assert (result.same, result.different) == (2 * 3 * 2, 5 * 5)
    assert result.auc == 1
    itself, stranger = result.steps["itself"], result.steps["any of somebody else"]
    assert itself == pytest.approx({"csim": 1, "psim": 1, "ed": 0, "lsim": 0}, abs=1e-6)
    assert stranger["csim"] < 0.95


def test_one_person_has_nobody_to_be_told_from(data: Path) -> None:
    with MetricBackends().open() as observer, pytest.raises(InputError, match="two people, and two videos"):
        filmed(FaceCrops(data, "train"), observer)


def test_real_frames(real_clips: Path, tmp_path: Path) -> None:
    with (real_clips / "manifest.csv").open() as file:
        clips = [row for row in csv.DictReader(file) if row["kind"] == "video"]
    videos: dict[str, list[str]] = {}
    for clip in clips:
        videos.setdefault(clip["person"], []).append(clip["file"])
    several = [(person, files[:2]) for person, files in videos.items() if len(files) > 1][:4]
    for person, files in several:
        for file in files:
            link = tmp_path / "videos" / person / Path(file).name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(real_clips / file)
    source = find_videos(tmp_path / "videos")
    prepare_videos(source, tmp_path / "data", PrepareConfig(128, max_frames=8), workers=1, progress=False)
    with MetricBackends().open() as observer:
        result = filmed(FaceCrops(tmp_path / "data", None), observer)
    assert result.auc > 0.97
    steps = list(result.steps.values())
    assert [step["ed"] for step in steps] == sorted(step["ed"] for step in steps)
    assert steps[0]["lsim"] < steps[1]["lsim"] < steps[2]["lsim"] < steps[3]["lsim"]
    assert steps[0]["csim"] > steps[1]["csim"] > steps[3]["csim"]
    assert steps[0]["psim"] > steps[2]["psim"] > steps[3]["psim"]
