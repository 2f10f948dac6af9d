"""Data sets in object stores: an S3 server, and a minimal server of the hub's API."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from fsspec.registry import _registry
from moto.server import ThreadedMotoServer

from facegan.data import FaceCrops, dataset_info
from facegan.data.storage import compute_fingerprint, list_shards, make_absolute
from facegan.errors import InputError

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def store():
    """An S3 server for this module's environment."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        for key in KEYS:
            patch.setenv(key, "testing")
        client = boto3.client("s3")
        client.create_bucket(Bucket="faces")
        yield client
    server.stop()


@pytest.fixture(scope="module")
def upload(store):
    """Puts a folder's files under a name, and says its address."""

    def put(folder, name):
        for path in Path(folder).iterdir():
            if path.is_file():
                store.upload_file(str(path), "faces", f"{name}/{path.name}")
        return f"s3://faces/{name}"

    return put


@pytest.fixture(scope="module")
def remote(upload, prepared):
    return upload(prepared, "heads")


def same(one, other):
    for name in ("landmarks", "motion", "time", "track", "frame", "identity", "video", "split"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for index in (0, len(one) - 1):
        torch.testing.assert_close(one.picture(index), other.picture(index), rtol=0, atol=0)
        torch.testing.assert_close(one.segmentation(index), other.segmentation(index), rtol=0, atol=0)


@pytest.mark.parametrize("end", ["", "/"])
def test_face_crops_of_bucket_equal_those_of_folder(remote, prepared, end):
    assert dataset_info(remote + end) == dataset_info(prepared)
    crops = FaceCrops(remote + end, "train", 32)
    assert len(crops) == 40
    same(crops, FaceCrops(prepared, "train", 32))


def test_face_crops_of_bucket_replaced_at_same_address_are_new(upload, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "data")
    address = upload(folder, "replaced")
    before = FaceCrops(address).landmarks
    (shard,) = folder.glob("*.parquet")
    table = pq.read_table(shard)
    moved = pa.array((before.reshape(len(before), -1) + 0.25).tolist(), table.schema.field("landmarks").type)
    pq.write_table(table.set_column(table.column_names.index("landmarks"), "landmarks", moved), shard)
    upload(folder, "replaced")
    np.testing.assert_allclose(FaceCrops(address).landmarks, before + 0.25, atol=1e-6)


def test_face_crops_of_bucket_download_once(remote, store):
    FaceCrops(remote)
    (shard,) = list_shards(remote)
    before = store.get_object(Bucket="faces", Key=shard.removeprefix("s3://faces/"))
    cached = [path for path in Path(os.environ["HF_DATASETS_CACHE"]).rglob("*") if path.is_file()]
    times = {path: path.stat().st_mtime_ns for path in cached if path.suffix == ".arrow"}
    assert before["ContentLength"] > 0
    FaceCrops(remote)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_make_absolute_leaves_urls(remote, prepared, monkeypatch, tmp_path):
    assert make_absolute(remote) == remote
    monkeypatch.chdir(tmp_path)
    assert make_absolute("data") == str(tmp_path / "data")


def test_compute_fingerprint_changes_with_file(upload, store, prepared, tmp_path):
    address = upload(prepared, "changing")
    before = compute_fingerprint(address)
    assert compute_fingerprint(address) == before
    store.put_object(Bucket="faces", Key="changing/dataset.json", Body=b"{}")
    assert compute_fingerprint(address) != before
    shutil.copytree(prepared, tmp_path / "data")
    before = compute_fingerprint(tmp_path / "data")
    (tmp_path / "data" / "dataset.json").write_text("{}")
    assert compute_fingerprint(tmp_path / "data") != before


def refused(address, match):
    with pytest.raises(InputError, match=match) as caught:
        FaceCrops(address)
    assert "\n" not in str(caught.value)
    assert address in str(caught.value)


def test_face_crops_of_missing_bucket_raises(store):
    refused("s3://nobodys/data", "not a prepared data set")
    refused("s3://faces/nothing", "not a prepared data set")


def test_face_crops_without_credentials_raises(remote, monkeypatch):
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for key in KEYS:
        monkeypatch.delenv(key)
    refused(remote, "(?i)credentials")
    s3fs.S3FileSystem.clear_instance_cache()


def test_face_crops_of_unreachable_server_raises(remote, monkeypatch):
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    refused(remote, "(?i)could not connect")
    s3fs.S3FileSystem.clear_instance_cache()


def test_face_crops_of_unknown_protocol_raises():
    refused("smoke://signals/data", "Protocol not known: smoke")


def test_face_crops_without_protocol_package_raises_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)
    refused("s3://faces/heads", "Install s3fs")


def test_face_crops_of_damaged_files_raises(upload, prepared, tmp_path):
    """The same errors as for a folder."""
    (shard,) = prepared.glob("*.parquet")
    for name, content, match in (
        ("cut", shard.read_bytes()[:-100], "damaged Parquet shard"),
        ("text", b"no table at all", "damaged Parquet shard"),
        ("foreign", None, "another kind, without video"),
    ):
        folder = tmp_path / name
        shutil.copytree(prepared, folder)
        if content is None:
            pq.write_table(pa.table({"price": [1.0]}), folder / shard.name)
        else:
            (folder / shard.name).write_bytes(content)
        refused(str(folder), match)
        refused(upload(folder, name), match)


def test_face_crops_of_bad_description_raises(upload, tmp_path):
    (tmp_path / "dataset.json").write_bytes(b"\xff{")
    refused(upload(tmp_path, "scribble"), "not a prepared data set")


def test_face_crops_of_bucket_without_shards_raises(upload, prepared, tmp_path):
    shutil.copy(prepared / "dataset.json", tmp_path)
    refused(upload(tmp_path, "bare"), "no Parquet shards")


def test_training_and_evaluation_read_bucket(remote, tmp_path):
    from facegan.evaluation import export_pairs
    from facegan.stages import LandmarkTransformData

    data = LandmarkTransformData(remote)
    data.setup("fit")
    assert len(data.train) == 40
    assert export_pairs(remote, tmp_path / "pairs", pairs=2, protocols=["self"]) == {"self": 2}


class Hub(BaseHTTPRequestHandler):
    """One repository, somebody/heads, by the hub's API as far as reading needs it."""

    commit = "0123456789abcdef0123456789abcdef01234567"
    protocol_version = "HTTP/1.1"

    def __init__(self, folder, *args):
        self.folder = folder
        super().__init__(*args)

    def do_GET(self):
        path = unquote(self.path.partition("?")[0])
        if path.startswith("/api/datasets/somebody/heads/tree/"):
            self._say([self._entry(name) for name in sorted(self.folder.iterdir())])
        elif path.startswith("/api/datasets/somebody/heads"):
            files = [{"rfilename": file.name} for file in self.folder.iterdir()]
            self._say({"id": "somebody/heads", "sha": self.commit, "siblings": files, "private": False})
        elif path.startswith("/datasets/somebody/heads/resolve/"):
            self._send_file(self.folder / path.rpartition("/")[2])
        else:
            self._say({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        files = [self.folder / name for name in asked["paths"]]
        self._say([self._entry(file) for file in files if file.is_file()])

    def log_message(self, *_):
        pass

    def _entry(self, file):
        size = file.stat().st_size
        return {"type": "file", "path": file.name, "size": size, "oid": f"{size:040x}"}

    def _say(self, answer, status=200, headers=None):
        headers = {"Content-Type": "application/json"} | (headers or {})
        self._send(json.dumps(answer).encode(), status, headers)

    def _send_file(self, file):
        content = file.read_bytes()
        headers = {"ETag": f'"{len(content):x}"', "X-Repo-Commit": self.commit}
        if asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            content = content[int(first) : int(last or len(content)) + 1]
            self._send(content, 206, headers)
        else:
            self._send(content, 200, headers)

    def _send(self, content, status, headers):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@pytest.fixture
def hub(prepared):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, prepared)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_face_crops_of_hub_equal_those_of_folder(hub, prepared, tmp_path):
    """In another process, because the hub's URL is read at import."""
    code = (
        "import sys; from facegan.data import FaceCrops\n"
        "from facegan.errors import InputError\n"
        "crops = FaceCrops('hf://datasets/somebody/heads', 'train')\n"
        "print(len(crops), crops.picture(5).double().sum().item())\n"
        "try:\n    FaceCrops('hf://datasets/somebody/tails')\n"
        "except InputError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path / "sets")},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = FaceCrops(prepared, "train")
    first, second = done.stdout.splitlines()
    assert first == f"40 {expected.picture(5).double().sum().item()}"
    assert second.startswith("hf://datasets/somebody/tails is not a prepared data set")
