"""The tables of docs/playbooks.md are those of the code; with LIANDUN_WRITE_DOCS=1 they are written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from playbooks.actions.danger import DESTRUCTIVE
from playbooks.actions.parameters import LOOKING, TERMS, Terms
from playbooks.library import BUILDING_BLOCK, load
from playbooks.model import Playbook, PlaybookAction
from playbooks.translations import playbook_words

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "playbooks.md"


def _commands(shown: Mapping[str, Terms]) -> list[str]:
    lines = ["| command | parameters | gives |", "|---|---|---|"]
    for kind, terms in shown.items():
        fields = msgspec.structs.fields(terms.takes)
        names = [f"**{one.name}**" if one.required else one.name for one in fields]
        lines.append(f"| `{kind}` | {', '.join(names)} | {', '.join(terms.gives) or '–'} |")
    return lines


def _library() -> list[str]:
    files = {path.stem: path for path in (ROOT / "playbooks" / "library").glob("*.json")}
    playbooks = dict(zip(sorted(files), load(), strict=True))
    names = {one.id: name for name, one in playbooks.items()}
    ordered = sorted(playbooks, key=lambda name: (BUILDING_BLOCK in playbooks[name].labels, name))
    lines = ["| playbook | 名称 | English | labels | calls |", "|---|---|---|---|---|"]
    for name in ordered:
        one = playbooks[name]
        labels, called = ", ".join(one.labels), ", ".join(names[called] for called in _called(one)) or "–"
        lines.append(
            f"| [{name}](../playbooks/library/{name}.json) | {one.name} | {playbook_words(one, 'en').name} | {labels} | {called} |"
        )
    return lines


def _called(playbook: Playbook) -> list[str]:
    return list(dict.fromkeys(step.playbook_id for step in playbook.workflow.values() if isinstance(step, PlaybookAction)))


def test_the_tables_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    made = text
    tables = (
        ("commands", _commands({kind: terms for kind, terms in TERMS.items() if kind not in DESTRUCTIVE})),
        ("system commands", _commands({kind: terms for kind, terms in TERMS.items() if kind in DESTRUCTIVE})),
        ("looking commands", _commands(LOOKING)),
        ("library", _library()),
    )
    for name, lines in tables:
        begin = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
        made, count = begin.subn(lambda found, lines=lines: found[1] + "\n".join(lines) + "\n" + found[2], made)  # type: ignore[misc]
        assert count == 1
    if os.environ.get("LIANDUN_WRITE_DOCS"):
        PAGE.write_text(made, "utf-8")
    assert PAGE.read_text("utf-8") == made, "run this test with LIANDUN_WRITE_DOCS=1"
