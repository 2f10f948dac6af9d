"""Fixtures of a small data set of synthetic heads as the preparation writes it, measured by the detectors."""

import pickle

import cv2
import pyarrow as pa
import pytest
import torch

from facegan.data import FaceCrops
from facegan.geometry.landmarks import landmarks_from_mesh, normalize_points
from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.perception import FaceAnalyzer, FaceParser
from facegan.perception.face_measurer import MetricBackends
from facegan.preparation import ShardWriter, write_description
from synthetic_heads import render, sample_identity

SIZE = 96
POSES = ({}, {"AU26": 0.7, "yaw": 12}, {"AU12": 0.9, "pitch": 8}, {"AU01": 0.9, "roll": -10})
IDENTITIES = {"ann": "test", "bob": "test", "cy": "train"}


def render_rows(seed, name, split):
    """Render one identity's frames, two tracks of them; images lossless, so that copies are exact."""
    identity = sample_identity(seed)
    with FaceAnalyzer(single_images=True) as analyzer, FaceParser() as parser:
        for number, pose in enumerate(POSES + POSES[:0:-1]):
            values = edit_motion(torch.zeros(NUM_MOTION_PARAMS), pose) * (1 if number < len(POSES) else 0.6)
            image = render(identity, values.numpy(), SIZE).image
            face = analyzer(image)[0]
            mesh = face.mesh.copy()
            mesh[:, :2] = normalize_points(mesh[:, :2], SIZE)
            yield {
                "video": f"{name}/{number // len(POSES)}.mp4",
                "track": 0,
                "identity": name,
                "split": split,
                "frame": number,
                "time": number / 25,
                "fps": 25.0,
                "image": cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes(),
                "segmentation": cv2.imencode(".png", parser(image, face.mesh))[1].tobytes(),
                "landmarks": landmarks_from_mesh(mesh).ravel(),
                "mesh": mesh.ravel(),
                "motion": face.motion,
                "blendshapes": face.blendshapes,
                "confidence": face.confidence,
                "crop": [0.0, 0.0, float(SIZE)],
            }


@pytest.fixture(scope="session")
def faces(make_once):
    """All rows, to write data sets from."""

    def create(folder):
        identities = enumerate(IDENTITIES.items())
        rows = [row for seed, (name, split) in identities for row in render_rows(seed + 1, name, split)]
        (folder / "rows.pickle").write_bytes(pickle.dumps(rows))

    return pickle.loads((make_once("faces", create) / "rows.pickle").read_bytes())


@pytest.fixture(scope="session")
def write_data():
    """Writes rows as a data set."""

    def write(folder, rows):
        folder.mkdir(parents=True)
        writer = ShardWriter(folder)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        writer.write(pa.table({name: pa.array(list(map(_plain, cells))) for name, cells in columns.items()}))
        writer.close()
        splits = {
            split: {"crops": sum(row["split"] == split for row in rows)} for split in ("train", "val", "test")
        }
        write_description(folder, SIZE, {"kind": "test", "input": "synthetic"}, splits=splits)
        return folder

    return write


def _plain(cell):
    return cell.tolist() if hasattr(cell, "tolist") else cell


@pytest.fixture(scope="session")
def data(faces, write_data, tmp_path_factory):
    """The data set: two identities of the test split, one of the training split."""
    return write_data(tmp_path_factory.mktemp("evaluation") / "data", faces)


@pytest.fixture(scope="session")
def crops(data):
    return FaceCrops(data, "test")


@pytest.fixture(scope="session")
def measurer():
    with MetricBackends().open() as opened:
        yield opened


@pytest.fixture(scope="session")
def validation_data(faces, write_data, tmp_path_factory):
    """The same with the two identities in the validation split, so that each protocol has pairs."""
    rows = [row | {"split": row["split"].replace("test", "val")} for row in faces]
    return write_data(tmp_path_factory.mktemp("validation") / "data", rows)
