import pytest

from facegan.errors import InputError
from facegan.preparation import find_videos


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(source):
    return {clip.video: clip.identity for clip in source.clips}


def test_find_videos_uses_first_folder_or_file_name_as_identity(tmp_path):
    files(tmp_path, "ann/1.mp4", "ann/deep/2.webm", "bob/3.avi", "dora.mov", "nameless")
    source = find_videos(tmp_path)
    expected = {"ann/1": "ann", "ann/deep/2": "ann", "bob/3": "bob", "dora": "dora", "nameless": "nameless"}
    assert found(source) == expected
    assert [clip.video for clip in source.clips] == sorted(expected)
    assert all(clip.path.is_file() for clip in source.clips)


def test_find_videos_with_equal_stems_keeps_suffixes(tmp_path):
    files(tmp_path, "a/1.mp4", "a/1.avi", "a/1.mp4.mov", "a/2.mp4", "a/3.MP4")
    assert set(found(find_videos(tmp_path))) == {"a/1.mp4", "a/1.avi", "a/1.mp4.mov", "a/2", "a/3"}


def test_find_videos_ignores_other_files(tmp_path):
    files(tmp_path, "a/1.xyz", "a/x.txt", "a/y.JSON", "a/.z.mp4", ".git/q.mp4", "w.png", "list.csv")
    source = find_videos(tmp_path)
    assert found(source) == {"a/1": "a"}
    assert source.ignored == 6


def test_find_videos_follows_links_to_files(tmp_path):
    files(tmp_path, "elsewhere/1.mp4", "videos/ann/2.mp4")
    (tmp_path / "videos/ann/1.mp4").symlink_to(tmp_path / "elsewhere/1.mp4")
    (tmp_path / "videos/ann/gone.mp4").symlink_to(tmp_path / "elsewhere/gone.mp4")
    source = find_videos(tmp_path / "videos")
    assert found(source) == {"ann/1": "ann", "ann/2": "ann"}
    assert source.skipped == {"ann/gone.mp4": "a broken link"}


def test_find_videos_with_identities_file_uses_it(tmp_path):
    files(tmp_path, "x/1.mp4", "x/2.mp4", "3.mp4")
    table = tmp_path / "people.csv"
    table.write_text("\ufefffile,note,identity\nx/1.mp4,?,ann\n3.mp4,?,ann\n", encoding="utf-8")
    source = find_videos(tmp_path, table)
    assert found(source) == {"3": "ann", "x/1": "ann"}
    assert list(source.skipped) == ["x/2.mp4"]
    assert "people.csv" in source.skipped["x/2.mp4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,identity\nnone.mp4,ann\n", r"line 2: no file none\.mp4"),
        ("file,identity\n1.mp4,\n", "line 2: needs a value"),
        ("path,identity\n1.mp4,ann\n", "columns file and identity"),
        ("file,identity\n1.mp4,ann\n1.mp4,bob\n", "two identities, ann and bob"),
        ("file,identity\n", r"no videos in .* that .* names"),
        ("\x00\x01", "columns file and identity|no videos|cannot read"),
    ],
)
def test_find_videos_with_wrong_identities_raises(tmp_path, text, message):
    files(tmp_path, "1.mp4")
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        find_videos(tmp_path, tmp_path / "t.csv")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", None])
def test_find_videos_with_unreadable_identities_raises(tmp_path, content):
    files(tmp_path, "1.mp4")
    if content:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match="cannot read"):
        find_videos(tmp_path, tmp_path / "t.csv")


def test_find_videos_without_videos_raises(tmp_path):
    with pytest.raises(InputError, match="no videos in"):
        find_videos(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        find_videos(tmp_path / "none")


def test_find_videos_with_folder_named_like_video_reports_it(tmp_path):
    (tmp_path / "clip.mp4").mkdir()
    (tmp_path / "clip.mp4" / "inside.mp4").touch()
    source = find_videos(tmp_path)
    assert source.skipped == {"clip.mp4": "a folder"}
    assert [clip.video for clip in source.clips] == ["clip.mp4/inside"]
    assert source.clips[0].identity == "clip.mp4"


def test_find_videos_in_voxceleb_layout_finds_identities(tmp_path):
    for name in ("id10270/5r0dWxy17C8/00001.mp4", "id10270/x6uYqmx31kE/00001.mp4", "id10271/a/00002.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    clips = find_videos(tmp_path).clips
    assert [clip.identity for clip in clips] == ["id10270", "id10270", "id10271"]
    assert len({clip.video for clip in clips}) == 3
