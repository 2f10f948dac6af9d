"""Shared fixtures: synthetic talking heads, a small data set of them, clips of real people."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings

from facegan.preparation import PrepareConfig, find_videos, prepare_videos
from facegan.preparation.synthesize import synthesize

# Threads cost small networks more than they gain.
torch.set_num_threads(1)

# The cache of `datasets`, which reads its place when it is imported, and the certificate of the tests are not
# those of the user.
OWN_FOLDERS = tempfile.mkdtemp(prefix="facegan-tests-")
os.environ["HF_DATASETS_CACHE"] = f"{OWN_FOLDERS}/datasets"
os.environ["XDG_CONFIG_HOME"] = f"{OWN_FOLDERS}/configuration"

# Shells start background programs with Ctrl-C ignored; tests of interruptions need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("facegan", deadline=None, derandomize=True)
settings.load_profile("facegan")


def pytest_unconfigure():
    shutil.rmtree(OWN_FOLDERS, ignore_errors=True)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory):
    """Return what makes a folder once for all processes of a parallel run."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make(name, create):
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                folder.mkdir()
                create(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def talking_heads(make_once):
    """Return a folder with one clip of each of four synthetic identities, and their ground truth."""
    settings = {"identities": 4, "clips": 1, "seconds": 0.8, "size": 128, "seed": 15}

    def create(out):
        synthesize(out / "videos", workers=1, progress=False, **settings)

    return make_once("talking_heads", create) / "videos"


@pytest.fixture(scope="session")
def prepared(talking_heads, make_once):
    """Return their data set: 20 crops of 64 pixels each, two identities in train, one in val, one in test."""

    def create(out):
        videos = find_videos(talking_heads)
        prepare_videos(videos, out / "data", PrepareConfig(64, 30), workers=1, progress=False)

    return make_once("prepared", create) / "data"


@pytest.fixture(scope="session")
def real_clips():
    """Return the folder with clips of real people, which are not part of the project."""
    folder = os.environ.get("FACEGAN_REAL_CLIPS")
    if not folder:
        pytest.skip("needs FACEGAN_REAL_CLIPS")
    return Path(folder)
