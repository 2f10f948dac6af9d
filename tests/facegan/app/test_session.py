import pytest
from PIL import Image

from facegan.app.session import SOURCE, SessionManager
from facegan.errors import InputError


@pytest.fixture
def sessions(tmp_path):
    return SessionManager(None, tmp_path)


@pytest.fixture
def upload(tmp_path):
    """Stores a file as gradio does."""

    def upload(folder, name):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9)).save(path)
        return path

    return upload


def test_session_closed_deletes_uploads_that_no_other_uses(sessions, upload):
    own, shared, renamed = upload("a", "own.png"), upload("b", "shared.png"), upload("b", "renamed.png")
    example = upload("examples", "head.png")
    for path in (own, shared, example):
        sessions.add_upload("me", path)
    for path in (shared, renamed):
        sessions.add_upload("you", path)
    sessions.close_session("me")
    assert not own.parent.exists()
    assert shared.exists()
    sessions.close()
    assert not shared.parent.exists()
    assert example.exists()


def test_session_upload_gone_says_so(sessions, upload):
    path = upload("a", "own.png")
    path.unlink()
    with pytest.raises(InputError, match="the source image is no longer on the server: choose it again"):
        sessions.get("me").check_upload(path, SOURCE)


def test_session_manager_too_many_closes_the_oldest(sessions, monkeypatch):
    monkeypatch.setattr("facegan.app.session.MAX_SESSIONS", 2)
    first, second = sessions.get("first"), sessions.get("second")
    sessions.get("third")
    assert sessions.get("second") is second
    assert sessions.get("first") is not first
