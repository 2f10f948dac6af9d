"""A small data set of talking heads as the preparation writes it, seen by the detectors themselves."""

import cv2
import pyarrow as pa
import pytest
import torch

from facegan import landmarks, motion
from facegan.data import FaceCrops
from facegan.evaluation.observer import Observer
from facegan.networks import FaceGAN, FaceGANConfig, Reenactment
from facegan.perception import FaceAnalyzer, FaceParser
from facegan.preparation import ShardWriter, write_description
from facegan.synthetic import render, sample_identity

SIZE = 96
POSES = ({}, {"AU26": 0.7, "yaw": 12}, {"AU12": 0.9, "pitch": 8}, {"AU01": 0.9, "roll": -10})
PEOPLE = {"ann": "test", "bob": "test", "cy": "train"}


def rows(seed, name, split):
    """One person's frames, two tracks of them; pictures lossless, so that copies are exact."""
    person = sample_identity(seed)
    with FaceAnalyzer(single_images=True) as analyzer, FaceParser() as parser:
        for number, pose in enumerate(POSES + POSES[:0:-1]):
            values = motion.edit(torch.zeros(motion.SIZE), pose) * (1 if number < len(POSES) else 0.6)
            image = render(person, values.numpy(), SIZE).image
            face = analyzer(image)[0]
            mesh = face.mesh.copy()
            mesh[:, :2] = landmarks.normalise(mesh[:, :2], SIZE)
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
                "landmarks": landmarks.from_mesh(mesh).ravel(),
                "mesh": mesh.ravel(),
                "motion": face.motion,
                "blendshapes": face.blendshapes,
                "confidence": face.confidence,
                "crop": [0.0, 0.0, float(SIZE)],
            }


@pytest.fixture(scope="session")
def faces():
    """All rows, to write data sets from."""
    return [row for seed, (name, split) in enumerate(PEOPLE.items()) for row in rows(seed + 1, name, split)]


@pytest.fixture(scope="session")
def write_data():
    """Writes rows as a data set."""

    def write(folder, some_rows):
        folder.mkdir(parents=True)
        writer = ShardWriter(folder)
        columns = {name: [row[name] for row in some_rows] for name in some_rows[0]}
        writer.write(pa.table({name: pa.array(list(map(_plain, cells))) for name, cells in columns.items()}))
        writer.close()
        write_description(folder, SIZE, {"kind": "test", "input": "drawn"})
        return folder

    return write


def _plain(cell):
    return cell.tolist() if hasattr(cell, "tolist") else cell


@pytest.fixture(scope="session")
def data(faces, write_data, tmp_path_factory):
    """The data set: two people to test on, one to train on."""
    return write_data(tmp_path_factory.mktemp("evaluation") / "data", faces)


@pytest.fixture(scope="session")
def crops(data):
    return FaceCrops(data, "test")


@pytest.fixture(scope="session")
def observer():
    with Observer() as opened:
        yield opened


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A tiny model with random weights."""
    torch.manual_seed(0)
    tiny = {"kind": "global", "width": 8, "downsamplings": 2, "blocks": 1}
    folder = tmp_path_factory.mktemp("model")
    FaceGAN(FaceGANConfig(size=64, reenactor=tiny, background_mixer=tiny)).save_pretrained(folder)
    return folder


class Painter:
    """Has a model's interface; a function of source and motion makes the result."""

    def __init__(self, paint):
        self.paint = paint

    def __call__(self, source, source_landmarks, driving_motion, background):
        result = torch.stack([self.paint(*one) for one in zip(source, driving_motion, strict=True)])
        one = result[:, :1]
        return Reenactment(source_landmarks, one, result, result, result, result, one, result)


@pytest.fixture(scope="session")
def painter():
    return Painter


@pytest.fixture(scope="session")
def oracle(crops):
    """Knows the driver's picture by its motion."""
    known = torch.from_numpy(crops.motion)
    return Painter(lambda source, wanted: crops.picture(int((known - wanted).norm(dim=1).argmin())))
