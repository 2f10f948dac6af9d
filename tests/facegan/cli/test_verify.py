import json

import pytest

from facegan.cli import main
from facegan.io.images import write_image
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter
from synthetic_heads import render, sample_identity


@pytest.fixture
def pictures(tmp_path):
    """A marked one and one that is not."""
    image = render(sample_identity(3), [0] * 20, 128).image
    marker = ProvenanceWriter(ProvenanceConfig(), ManifestClaim("owner/model", ("facegan edit", "AU12=0.8")))
    write_image(tmp_path / "made.png", image, marker)
    write_image(tmp_path / "plain.png", image)
    return tmp_path / "made.png", tmp_path / "plain.png"


def test_what_was_found_is_told_file_by_file(capsys, pictures):
    assert main(["verify", *map(str, pictures)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    made, plain = out[: out.index(str(pictures[1]))], out[out.index(str(pictures[1])) :]
    assert made.startswith(f"{pictures[0]}: picture\n")
    assert "Content Credentials: valid signature of facegan local signer" in made
    assert "model owner/model" in made
    assert "AU12=0.8" in made
    assert "invisible mark: found" in made
    assert "Content Credentials: none" in plain
    assert "invisible mark: not found" in plain


def test_json_is_a_line_a_file(capsys, pictures):
    assert main(["verify", "--json", *map(str, pictures)]) == 0
    made, plain = map(json.loads, capsys.readouterr().out.splitlines())
    assert made["manifest"]["state"] == "valid"
    assert made["watermark"] is True
    assert plain["manifest"] is None
    assert plain["path"] == str(pictures[1])


def test_a_file_that_cannot_be_read_does_not_stop_the_others(capsys, pictures):
    nothing = pictures[0].with_name("nothing.png")
    assert main(["verify", str(nothing), str(pictures[0])]) == 3
    out, err = capsys.readouterr()
    assert "made by a machine" in out
    assert err == f"facegan: cannot read {nothing}: no such file\n"
