"""Names under which a browser keeps a file: Chinese ones arrive, hostile ones stay names."""

from __future__ import annotations

import pytest
from werkzeug.http import parse_options_header

from soc_ui.download import as_attachment


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("水务局-2026.pdf", "___-2026.pdf"),
        ("整改截图 (1)；最终.txt", "____ (1)___.txt"),
        ("café 100%.txt", "caf_ 100%.txt"),
        ("plain.txt", "plain.txt"),
        ('a"b\\c.txt', 'a"b\\c.txt'),
    ],
)
def test_a_name_arrives_whole_and_the_header_is_ascii(name: str, old: str) -> None:
    header = as_attachment(b"", name, "text/plain").headers["Content-Disposition"]
    assert header.isascii()
    kind, told = parse_options_header(header)
    assert kind == "attachment"
    assert told["filename"] == name
    if not name.isascii():
        assert old in header


def test_signs_that_turn_a_name_around_are_shown() -> None:
    header = as_attachment(b"", "invoice\u202egpj.exe\r\nX: y", "text/plain").headers["Content-Disposition"]
    assert parse_options_header(header)[1]["filename"].startswith("invoice⟨U+202E⟩gpj.exe")
    assert "\n" not in header
