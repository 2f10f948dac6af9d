import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from facegan.preparation.dataset_format import SCHEMA, TRACK_SCHEMA
from facegan.preparation.shard_writer import RowWriter, ShardWriter, read_track, write_description


def row(number):
    random = np.random.default_rng(number)
    lists = {field.name: field.type.list_size for field in SCHEMA if pa.types.is_fixed_size_list(field.type)}
    values = {name: random.normal(size=size).astype(np.float32) for name, size in lists.items()}
    names = {
        "video": "ann/1",
        "track": 0,
        "frame": number,
        "time": number / 25,
        "fps": 25.0,
    }
    return values | names | {"image": random.bytes(99), "segmentation": random.bytes(9), "confidence": 0.5}


@pytest.fixture
def track_file(tmp_path):
    writer = RowWriter(tmp_path / "track.parquet", TRACK_SCHEMA)
    for number in range(150):
        writer.write(row(number))
    writer.close()
    return tmp_path / "track.parquet"


def test_shard_writer_with_many_rows_writes_shards_that_read_back_equal(track_file, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    writer = ShardWriter(folder, shard_bytes=300_000, group_rows=16)
    for table in read_track(track_file, "ann", "val"):
        writer.write(table)
    writer.close()
    shards = sorted(folder.iterdir())
    groups = [pq.read_metadata(shard) for shard in shards]
    assert len(shards) > 2
    assert sum(shard.num_rows for shard in groups) == 150
    assert {shard.row_group(n).num_rows for shard in groups for n in range(shard.num_row_groups)} == {16, 6}
    sizes = [shard.stat().st_size for shard in shards]
    assert all(300_000 <= size < 500_000 for size in sizes[:-1])
    data = Dataset.from_parquet([str(shard) for shard in shards], cache_dir=str(tmp_path / "cache"))
    assert data.column_names == SCHEMA.names
    data = data.with_format("numpy")
    for number in (0, 63, 64, 149):
        expected, got = row(number), data[number]
        assert (got["identity"], got["split"]) == ("ann", "val")
        for name, value in expected.items():
            np.testing.assert_array_equal(got[name], value, err_msg=name)
    assert data[:5]["landmarks"].shape == (5, 136)
    assert data[:5]["mesh"].shape == (5, 1434)
    assert data[:5]["landmarks"].dtype == np.float32


def test_shard_writer_with_other_pieces_writes_same_bytes(track_file, tmp_path):
    table = pa.concat_tables(read_track(track_file, "ann", "train"))
    written = []
    for pieces in ([table], [table[:1], table[1:40], table[40:]]):
        folder = tmp_path / str(len(pieces))
        folder.mkdir()
        writer = ShardWriter(folder, shard_bytes=200_000, group_rows=20)
        for piece in pieces:
            writer.write(piece)
        writer.close()
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]


def test_row_writer_with_wrong_shape_raises(tmp_path):
    writer = RowWriter(tmp_path / "track.parquet", TRACK_SCHEMA)
    writer.write(row(0) | {"landmarks": np.zeros(10, np.float32)})
    with pytest.raises(pa.ArrowInvalid):
        writer.close()


def test_write_description_adds_version_and_software(tmp_path):
    write_description(tmp_path, 128, {"kind": "videos", "input": "Ä"}, counts={"crops": 3})
    description = json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))
    assert description["version"] == 2
    assert description["size"] == 128
    assert description["source"] == {"kind": "videos", "input": "Ä"}
    assert description["counts"] == {"crops": 3}
    assert {"facegan", "python", "mediapipe", "av"} <= set(description["software"])
