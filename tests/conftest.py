"""Shared fixtures: synthetic talking heads, a small data set of them, clips of real people."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import torch
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
def talking_heads(tmp_path_factory):
    """Return a folder with one clip of each of four synthetic identities, and their ground truth."""
    out = tmp_path_factory.mktemp("talking_heads") / "videos"
    return synthesize(out, identities=4, clips=1, seconds=0.8, size=128, seed=15, progress=False)


@pytest.fixture(scope="session")
def prepared(talking_heads, tmp_path_factory):
    """Return their data set: 20 crops of 64 pixels each, two identities in train, one in val, one in test."""
    out = tmp_path_factory.mktemp("prepared") / "data"
    prepare_videos(find_videos(talking_heads), out, PrepareConfig(64, 30), workers=2, progress=False)
    return out


@pytest.fixture(scope="session")
def real_clips():
    """Return the folder with clips of real people, which are not part of the project."""
    folder = os.environ.get("FACEGAN_REAL_CLIPS")
    if not folder:
        pytest.skip("needs FACEGAN_REAL_CLIPS")
    return Path(folder)
