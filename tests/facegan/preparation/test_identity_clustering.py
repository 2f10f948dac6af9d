import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.preparation import find_videos
from facegan.preparation.identity_clustering import cluster_identities


@given(st.integers(0, 99), st.integers(1, 5), st.integers(1, 4))
def test_cluster_identities_of_separated_embeddings_finds_clusters(seed, people, tracks):
    random = np.random.default_rng(seed)
    centers = np.eye(128)[:people]
    truth = random.permutation(np.repeat(np.arange(people), tracks))
    embeddings = {
        f"track {number}": centers[person] + random.normal(0, 0.01, 128)
        for number, person in enumerate(truth)
    }
    names = list(cluster_identities(embeddings).values())
    assert len(set(names)) == people
    assert len(set(zip(truth.tolist(), names, strict=True))) == people


def test_cluster_identities_of_none_or_one():
    assert cluster_identities({}) == {}
    assert cluster_identities({"a": [1.0, 0.0]}) == {"a": "person_00000"}


@pytest.fixture(scope="module")
def mixed(heads, tmp_path_factory):
    """Two videos of each of three identities in one folder."""
    folder = tmp_path_factory.mktemp("mixed")
    for number, frames in enumerate([*heads, *heads]):
        images = [frame.image for frame in (frames if number < 3 else frames[::-1])]
        write_video(folder / f"{number}.mp4", images, crf="10")
    return folder


@pytest.mark.slow
def test_prepare_with_cluster_gives_each_person_one_identity_and_split(mixed, tmp_path):
    out = tmp_path / "data"
    summary = prepare_small(find_videos(mixed), out, size=128, cluster=True)
    table = pq.read_table(sorted(out.glob("*.parquet")))
    whose = dict(zip(table["video"].to_pylist(), table["identity"].to_pylist(), strict=True))
    assert whose == {str(number): f"person_{number % 3:05d}" for number in range(6)}
    splits = set(zip(table["identity"].to_pylist(), table["split"].to_pylist(), strict=True))
    assert len(splits) == summary.total.identities == 3
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [line["crops"] for line in lines] == [4] * 6
    assert all(len(line["sha256"]) == 64 for line in lines)


@pytest.mark.slow
def test_prepare_with_identity_in_two_splits_keeps_test(mixed, tmp_path):
    source = find_videos(mixed)
    clips = [replace(clip, split="train" if int(clip.video) >= 3 else "test") for clip in source.clips]
    source = replace(source, clips=tuple(clips))
    summary = prepare_small(source, tmp_path / "data", size=128, cluster=True)
    assert summary.splits["test"].identities == 3
    assert summary.splits["train"].identities == 0
