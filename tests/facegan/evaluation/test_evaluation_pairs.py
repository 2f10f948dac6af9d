"""Pairs on disk: found again in the data, or refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation.evaluation_pairs import read_pairs, write_pairs
from facegan.evaluation.protocols import PROTOCOLS


@pytest.fixture(scope="module")
def trials(crops):
    return {name: protocol.choose(crops, 9, 0) for name, protocol in PROTOCOLS.items() if name != "video"}


def test_are_read_as_they_were_written(crops, trials, tmp_path):
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    again = read_pairs(tmp_path / "pairs.parquet", crops)
    assert list(again) == list(trials)
    for name, chosen in trials.items():
        for one, other in zip(chosen, again[name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_name_the_same_crops_whatever_the_split_that_is_open(data, crops, trials, tmp_path):
    """Rows are numbered otherwise there."""
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    whole = FaceCrops(data)
    for name, chosen in read_pairs(tmp_path / "pairs.parquet", whole).items():
        for one, other in zip(trials[name], chosen, strict=True):
            np.testing.assert_array_equal(crops.motion[one], whole.motion[other])


def test_order_of_rows_does_not_matter(crops, trials, tmp_path):
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    table = pq.read_table(tmp_path / "pairs.parquet")
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), tmp_path / "mixed.parquet")
    for name, chosen in read_pairs(tmp_path / "mixed.parquet", crops).items():
        np.testing.assert_array_equal(chosen.driver, trials[name].driver)


def test_columns_of_another_width_are_the_same_pairs(crops, trials, tmp_path):
    """As other programs write them."""
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    pq.read_table(tmp_path / "pairs.parquet").to_pandas().to_parquet(tmp_path / "again.parquet")
    for name, chosen in read_pairs(tmp_path / "again.parquet", crops).items():
        np.testing.assert_array_equal(chosen.driver, trials[name].driver)


def test_left_out_pairs_would_be_met_by_the_wrong_pictures(crops, trials, tmp_path):
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    table = pq.read_table(tmp_path / "pairs.parquet")
    pq.write_table(table.slice(2), tmp_path / "rest.parquet")
    with pytest.raises(InputError, match=r"pairs of self in .* are not numbered 0, 1"):
        read_pairs(tmp_path / "rest.parquet", crops)


def test_of_another_data_set_are_refused(data, crops, trials, tmp_path):
    write_pairs(tmp_path / "pairs.parquet", crops, trials)
    with pytest.raises(
        InputError, match=r"lacks 9 crops that .*pairs.parquet names, the first being frame \d+ of"
    ):
        read_pairs(tmp_path / "pairs.parquet", FaceCrops(data, "train"))


@pytest.mark.parametrize("kind", ["missing", "text", "other columns"])
def test_what_is_no_pairs_is_refused(crops, tmp_path, kind):
    path = tmp_path / "pairs.parquet"
    if kind == "text":
        path.write_text("source,driver")
    if kind == "other columns":
        pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(InputError, match=r"cannot read the pairs|holds no pairs: it has the columns a"):
        read_pairs(path, crops)
