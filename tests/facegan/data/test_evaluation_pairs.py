import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facegan.data import PROTOCOL_PAIRS, FaceCrops
from facegan.data.evaluation_pairs import read_pairs, write_pairs
from facegan.errors import InputError


@pytest.fixture(scope="module")
def pairs(crops):
    return {name: select(crops, 9, 0) for name, select in PROTOCOL_PAIRS.items() if name != "video"}


@pytest.fixture
def path(crops, pairs, tmp_path):
    write_pairs(tmp_path / "pairs.parquet", crops, pairs)
    return tmp_path / "pairs.parquet"


def test_read_pairs_of_a_written_file_gives_the_same_pairs(crops, pairs, path):
    stored = read_pairs(path, crops)
    assert list(stored) == list(pairs)
    for name, chosen in pairs.items():
        np.testing.assert_array_equal(chosen, stored[name])


def test_read_pairs_in_another_split_gives_the_same_crops(data, crops, pairs, path):
    """Rows are numbered otherwise there."""
    whole = FaceCrops(data)
    for name, chosen in read_pairs(path, whole).items():
        for one, other in zip(pairs[name], chosen, strict=True):
            np.testing.assert_array_equal(crops.motion[one], whole.motion[other])


def test_read_pairs_of_shuffled_rows_and_other_widths_gives_the_same_pairs(crops, pairs, path):
    """As other programs write them."""
    pq.read_table(path).to_pandas().sample(frac=1, random_state=0).to_parquet(path)
    for name, chosen in read_pairs(path, crops).items():
        np.testing.assert_array_equal(chosen.driving, pairs[name].driving)


def test_read_pairs_with_missing_rows_raises(crops, path):
    """Else images would be compared with the wrong pairs."""
    pq.write_table(pq.read_table(path).slice(2), path)
    with pytest.raises(InputError, match=r"pairs of self in .* are not numbered 0, 1"):
        read_pairs(path, crops)


def test_read_pairs_of_another_data_set_raises(data, path):
    with pytest.raises(InputError, match=r"lacks 9 crops that .*parquet names, the first being frame \d+ of"):
        read_pairs(path, FaceCrops(data, "train"))


@pytest.mark.parametrize("kind", ["missing", "text", "other columns"])
def test_read_pairs_of_another_file_raises(crops, tmp_path, kind):
    path = tmp_path / "pairs.parquet"
    if kind == "text":
        path.write_text("source,driving")
    if kind == "other columns":
        pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(InputError, match=r"cannot read the pairs|holds no pairs: it has the columns a"):
        read_pairs(path, crops)
