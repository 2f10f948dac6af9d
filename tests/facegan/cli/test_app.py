import pytest

from facegan.cli import main
from facegan.cli.app import VARIABLE, _password
from facegan.errors import InputError


def test_where_the_password_comes_from(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert _password(None, None) is None
    file = tmp_path / "password"
    file.write_text("from the file\nmore\n")
    assert _password(None, file) == "from the file"
    assert _password("given", None) == "given"
    monkeypatch.setenv(VARIABLE, "from the variable")
    assert _password(None, None) == "from the variable"
    assert _password("given", None) == "given"


def test_bad_passwords(tmp_path):
    (tmp_path / "empty").touch()
    for given, file in (
        ("", None),
        (None, tmp_path / "empty"),
        (None, tmp_path / "missing"),
        ("a", tmp_path),
    ):
        with pytest.raises(InputError):
            _password(given, file)


def test_without_a_model(capsys):
    assert main(["app", "--model", "no/such/folder/here"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_there_is_no_tunnel(capsys):
    assert main(["app", "--model", "m", "--share"]) == 2
    assert "--share" in capsys.readouterr().err
