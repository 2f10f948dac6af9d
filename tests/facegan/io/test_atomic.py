import pytest

from facegan.errors import InputError
from facegan.io.atomic import atomic_file, atomic_folder, check_output_is_free

MARKER = "done.json"


def make(out, text="new", **options):
    with atomic_folder(out, marker=MARKER, **options) as folder:
        (folder / MARKER).write_text(text)


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_folder_appears_when_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "result"
    with atomic_folder(out, marker=MARKER) as folder:
        (folder / MARKER).write_text("new")
        assert not out.exists()
        assert folder.parent == out.parent
    assert listing(tmp_path) == ["deep", "deep/result", f"deep/result/{MARKER}"]


def test_folder_may_be_there_if_it_is_empty(tmp_path):
    make(tmp_path)
    assert listing(tmp_path) == [MARKER]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_earlier_folder_and_nothing_else(tmp_path, failure):
    out = tmp_path / "result"
    make(out, "old")

    def fail():
        with atomic_folder(out, marker=MARKER, overwrite=True) as folder:
            (folder / MARKER).write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert listing(tmp_path) == ["result", f"result/{MARKER}"]
    assert (out / MARKER).read_text() == "old"


def test_whole_folder_is_replaced_and_remains_of_a_crash_with_it(tmp_path):
    out = tmp_path / "result"
    make(out, "old")
    (out / "older.bin").touch()
    (tmp_path / ".result.partial").mkdir()
    (tmp_path / ".result.partial" / "remains").touch()
    with pytest.raises(InputError, match="--overwrite"):
        make(out)
    make(out, overwrite=True)
    assert listing(tmp_path) == ["result", f"result/{MARKER}"]
    assert (out / MARKER).read_text() == "new"


def test_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=f"holds no {MARKER}: choose another"):
        make(tmp_path, overwrite=True)
    assert listing(tmp_path) == ["thesis.txt"]


def test_file_is_no_folder(tmp_path):
    (tmp_path / "taken").write_text("text")
    with pytest.raises(InputError, match="is a file: name a folder"):
        check_output_is_free(tmp_path / "taken", marker=MARKER, overwrite=True)


def test_file_appears_when_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "video.mp4"
    with atomic_file(out) as partial:
        assert partial.suffix == ".mp4"
        partial.write_text("new")
        assert not out.exists()
    assert out.read_text() == "new"
    assert listing(tmp_path) == ["deep", "deep/video.mp4"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_earlier_file_and_nothing_else(tmp_path, failure):
    out = tmp_path / "video.mp4"
    out.write_text("old")

    def fail():
        with atomic_file(out, overwrite=True) as partial:
            partial.write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert listing(tmp_path) == ["video.mp4"]
    assert out.read_text() == "old"


def test_file_is_replaced_only_when_asked(tmp_path):
    out = tmp_path / "video.mp4"
    out.write_text("old")
    with pytest.raises(InputError, match="--overwrite"), atomic_file(out):
        pytest.fail("must not begin")
    with atomic_file(out, overwrite=True) as partial:
        partial.write_text("new")
    assert out.read_text() == "new"


def test_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"), atomic_file(tmp_path, overwrite=True):
        pytest.fail("must not begin")
