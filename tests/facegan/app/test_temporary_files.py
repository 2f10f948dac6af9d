import os
import tempfile
from pathlib import Path

import pytest

from facegan.app.temporary_files import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def put(path):
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    return path


def test_a_visit_takes_its_files_along(workspace):
    mine, yours = put(workspace.new("me", "a.png")), put(workspace.new("you", "a.png"))
    workspace.end("me")
    assert not mine.parent.exists()
    assert yours.exists()


def test_what_two_visits_use_stays_until_both_have_ended(workspace):
    shared = put(workspace.folder / "hash" / "photo.png")
    for session in ("me", "you"):
        workspace.keep(session, shared)
    workspace.drop("me", shared)
    workspace.end("me")
    assert shared.exists()
    workspace.end("you")
    assert not shared.exists()


def test_equal_files_of_different_names_share_a_folder(workspace):
    mine, yours = put(workspace.folder / "hash" / "mine.png"), put(workspace.folder / "hash" / "yours.png")
    workspace.keep("me", mine)
    workspace.keep("you", yours)
    workspace.end("me")
    assert not mine.exists()
    assert yours.exists()


def test_nothing_else_is_removed(workspace, tmp_path_factory):
    example = put(workspace.lasting / "person_1.png")
    other = put(tmp_path_factory.mktemp("other") / "file")
    for path in (example, other, workspace.folder / "loose"):
        workspace.keep("me", path)
    workspace.end("me")
    assert example.exists()
    assert other.exists()


def test_old_files_are_swept_and_examples_stay(workspace):
    example = put(workspace.lasting / "person_1.png")
    old, new = put(workspace.new("me", "a.png")), put(workspace.new("me", "b.png"))
    broken_off = put(workspace.folder / "tmpabc")
    for path in (old.parent, broken_off, workspace.lasting):
        os.utime(path, (0, 0))
    workspace.sweep()
    assert [path.exists() for path in (example, old, broken_off, new)] == [True, False, False, True]


def test_the_folder_goes_whatever_happens(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "before")
    earlier = tempfile.tempdir
    folders = []

    def use():
        with Workspace.open() as workspace:
            folders.extend([workspace.folder, Path(os.environ["GRADIO_TEMP_DIR"])])
            put(workspace.new("me", "a.png"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert folders[0] == folders[1]
    assert not folders[0].exists()
    assert os.environ["GRADIO_TEMP_DIR"] == "before"
    assert tempfile.tempdir == earlier
