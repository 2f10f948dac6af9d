import pytest

from facegan.app.inputs import css_color_to_hex


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("#0A0b0c", "#0A0b0c"),
        ("rgba(255, 0, 16.4, 1)", "#ff0010"),
        ("rgb(999,1,2)", "#ff0102"),
        ("url(http://127.0.0.1)", "#7f0000"),
        ("", "#000000"),
    ],
)
def test_css_color_to_hex(color, expected):
    assert css_color_to_hex(color) == expected
