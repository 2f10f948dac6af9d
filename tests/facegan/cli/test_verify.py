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


def test_verify_prints_a_report_for_each_file(capsys, pictures):
    assert main(["verify", *map(str, pictures)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    made, plain = out[: out.index(str(pictures[1]))], out[out.index(str(pictures[1])) :]
    assert made.startswith(f"{pictures[0]}: image\n")
    assert "Content Credentials: valid signature of facegan local signer" in made
    assert "model owner/model" in made
    assert "AU12=0.8" in made
    assert "watermark: detected" in made
    assert "Content Credentials: none" in plain
    assert "watermark: not detected" in plain


def test_verify_json_prints_a_line_for_each_file(capsys, pictures):
    assert main(["verify", "--json", *map(str, pictures)]) == 0
    made, plain = map(json.loads, capsys.readouterr().out.splitlines())
    assert made["manifest"]["state"] == "valid"
    assert made["watermark"] is True
    assert plain["manifest"] is None
    assert plain["path"] == str(pictures[1])


def test_verify_unreadable_file_does_not_stop_the_others(capsys, pictures):
    nothing = pictures[0].with_name("nothing.png")
    assert main(["verify", str(nothing), str(pictures[0])]) == 3
    out, err = capsys.readouterr()
    assert "generated, and unchanged" in out
    assert err == f"facegan: cannot read {nothing}: no such file\n"
