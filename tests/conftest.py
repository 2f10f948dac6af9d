"""What the tests of several rooms share: a small data set of drawn heads, and the clips of real people."""

import os
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from facegan.preparation import Settings, find_videos, prepare_videos
from facegan.preparation.synthesize import synthesize

# Small networks wait for their threads more than they compute.
torch.set_num_threads(1)

# Programs in the background are started deaf to Ctrl-C; the tests of interruptions are not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("facegan", deadline=None, derandomize=True)
settings.load_profile("facegan")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What `datasets` keeps of Parquet files, and the certificate of the tests, are not the user's."""
    os.environ["HF_DATASETS_CACHE"] = str(tmp_path_factory.mktemp("datasets"))
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(scope="session")
def talking_heads(tmp_path_factory):
    """A folder with a clip of each of four drawn people, and the truth about them."""
    out = tmp_path_factory.mktemp("talking_heads") / "videos"
    return synthesize(out, identities=4, clips=1, seconds=0.8, size=128, seed=15, progress=False)


@pytest.fixture(scope="session")
def prepared(talking_heads, tmp_path_factory):
    """Their crops of 64 pixels: 20 of each of two people to train on, of one to validate, of one to test."""
    out = tmp_path_factory.mktemp("prepared") / "data"
    prepare_videos(find_videos(talking_heads), out, Settings(64, 30), workers=2, progress=False)
    return out


@pytest.fixture(scope="session")
def real_clips():
    """A folder with clips of real people, which are no part of the project."""
    folder = os.environ.get("FACEGAN_REAL_CLIPS")
    if not folder:
        pytest.skip("needs FACEGAN_REAL_CLIPS")
    return Path(folder)
