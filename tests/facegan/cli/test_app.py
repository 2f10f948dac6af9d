import pytest

from facegan.cli import main
from facegan.cli.app import VARIABLE, _read_password
from facegan.errors import InputError


def test_read_password_option_precedes_variable(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert _read_password(None, None) is None
    file = tmp_path / "password"
    file.write_text("from the file\nmore\n")
    monkeypatch.setenv(VARIABLE, "from the variable")
    assert _read_password(None, None) == "from the variable"
    assert _read_password(None, file) == "from the file"
    assert _read_password("given", None) == "given"


def test_read_password_unusable_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    missing = tmp_path / "missing"
    for given, file in (("", None), (None, tmp_path / "empty"), (None, missing), ("a", tmp_path)):
        with pytest.raises(InputError):
            _read_password(given, file)


def test_app_model_missing_is_one_line(capsys):
    assert main(["app", "--model", "no/such/folder/here"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_app_share_is_unknown(capsys):
    assert main(["app", "--model", "m", "--share"]) == 2
    assert "--share" in capsys.readouterr().err
