import sys

from facegan.app.examples import Examples, render_examples
from facegan.app.page import build_page
from facegan.app.session import SessionManager


def test_render_examples_without_renderer_page_has_none(monkeypatch, tmp_path, caplog):
    monkeypatch.setitem(sys.modules, "synthetic_heads", None)
    examples = render_examples(tmp_path)
    assert examples == Examples()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    page = build_page(SessionManager(None, tmp_path), examples)
    visible = {
        part["props"].get("elem_id"): part["props"].get("visible") for part in page.config["components"]
    }
    assert not visible["examples"]
    assert not visible["example-driving"]
