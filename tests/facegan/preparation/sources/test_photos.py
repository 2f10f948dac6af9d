import shutil

import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.facegan.preparation.small import prepare_small

from facegan.errors import InputError
from facegan.preparation import find_photos


@pytest.fixture
def root(heads, tmp_path):
    """Two people, one of them in two sessions; a text file, and a photograph outside."""
    folder = tmp_path / "photos"
    for session, person in (("anna", 0), ("anna/studio", 0), ("bert", 1)):
        (folder / session).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(heads[person][number].image).save(folder / session / f"{number}.png")
    (folder / "anna/notes.txt").write_text("taken in May")
    shutil.copy(folder / "anna/0.png", folder / "lost.png")
    return folder


def test_find_photos_groups_by_person_and_session(root):
    source = find_photos(root)
    assert [(clip.video, clip.identity, len(clip.images)) for clip in source.clips] == [
        ("anna", "anna", 3),
        ("anna/studio", "anna", 3),
        ("bert", "bert", 3),
    ]
    assert source.ignored == 1
    assert source.skipped == {"lost.png": "not in the sub-folder of a person"}


def test_prepare_photos_makes_one_track_per_session(root, tmp_path):
    closer = Image.open(root / "bert/2.png")
    closer.resize((2 * closer.width, 2 * closer.height)).save(root / "bert/2.png")
    (root / "anna/3.png").write_bytes((root / "anna/0.png").read_bytes()[:200])
    summary = prepare_small(find_photos(root), tmp_path / "out")
    assert summary.has_errors
    table = pq.read_table(sorted((tmp_path / "out").glob("*.parquet"))).to_pandas()
    counts = table.groupby(["video", "track", "identity"]).size().to_dict()
    assert counts == {("anna", 0, "anna"): 3, ("anna/studio", 0, "anna"): 3, ("bert", 0, "bert"): 3}
    assert table[table["identity"] == "anna"]["split"].nunique() == 1


@pytest.mark.parametrize(("place", "reason"), [("nowhere", "no folder"), ("anna/studio", "no photographs")])
def test_find_photos_bad_folder_raises_input_error(root, place, reason):
    with pytest.raises(InputError, match=reason):
        find_photos(root / place)
