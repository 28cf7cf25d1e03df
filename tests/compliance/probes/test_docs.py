"""The tables of docs/compliance.md are those of the registry; with LIANDUN_WRITE_DOCS=1 they are written."""

from __future__ import annotations

import os
import re
from pathlib import Path

from compliance.probes.registry import probes
from compliance.probes.table import markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "compliance.md"


def test_the_tables_of_the_documentation_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    between = re.compile(r"(<!-- probes -->\n).*?(<!-- end of probes -->)", re.DOTALL)
    made = between.sub(lambda one: f"{one[1]}{markdown()}\n{one[2]}", text)
    if os.environ.get("LIANDUN_WRITE_DOCS"):
        PAGE.write_text(made, "utf-8")
    assert PAGE.read_text("utf-8") == made, "run this test with LIANDUN_WRITE_DOCS=1"
    assert made.count("\n| `") >= len(probes())
    assert f"{len(probes())} probes" in made
