"""docs/compliance-of-liandun.md is in step with the catalogue, the probes, the commands and the pages."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from cli.__main__ import main
from compliance.catalogue.load import requirements
from compliance.probes.contract import Probe
from compliance.probes.reading.platform import PARTS
from compliance.probes.registry import of_source, probes

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "compliance-of-liandun.md").read_text("utf-8")
ROWS = re.findall(r"^\| (8\.1\.[45][0-9a-z.]*) \| (.) \| ([^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)


def test_every_item_once_and_in_the_order_of_the_standard() -> None:
    asked = [one.item.id for one in requirements().placed() if one.item.id.startswith(("8.1.4.", "8.1.5."))]
    assert [row[0] for row in ROWS if row[0].startswith("8.1.5.")] == [one for one in asked if one.startswith("8.1.5.")]
    assert [row[0] for row in ROWS if row[0].startswith("8.1.4.")] == [one for one in asked if one.startswith("8.1.4.")]


def test_each_row_says_how_and_where_to_see_it() -> None:
    for item, mark, how, see in ROWS:
        assert mark in "●◐○", item
        assert len(how) > 20, item
        assert see.strip() or mark == "○", item


def test_what_the_product_does_not_do_is_said_in_chinese_too() -> None:
    summary = PAGE.partition("## 中文摘要")[2]
    for item in [row[0] for row in ROWS if row[1] == "○"]:
        assert item in summary, item


def test_probes_that_are_named_speak_to_the_item() -> None:
    known = probes()
    for item, _, _, see in ROWS:
        for name in re.findall(r"`([a-z_]+\.[a-z_]+\.[a-z_]+)`", see):
            assert name in known, (item, name)
    named = {name for row in ROWS for name in re.findall(r"`([a-z_]+\.[a-z_]+\.[a-z_]+)`", row[3])}
    assert len(named) > 15


def test_pages_that_are_named_are_there() -> None:
    there = (DOCS / "security" / "permissions.md").read_text("utf-8")
    for page in set(re.findall(r"`(/[a-z/]+)`", PAGE)):
        assert f"| GET | `{page}` |" in there, page


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?\./liandun ([a-z][a-z -]*[a-z])", PAGE))))
def test_commands_that_are_named_are_there(command: str) -> None:
    assert is_command(command), command


@pytest.mark.parametrize("probe", of_source("platform"), ids=lambda one: one.id)
def test_how_to_see_it_by_hand_names_commands_that_are_there(probe: Probe) -> None:
    told = " ".join([probe.reproduce, *(PARTS[part][1] for part in probe.reads)])
    for command in re.findall(r"\./liandun ([a-z][a-z -]*[a-z])", told):
        assert is_command(command), command


def is_command(line: str) -> bool:
    """Whether the words of a command line, up to its arguments, lead to a command."""
    found: click.Command = main
    for word in line.split():
        if word.startswith("-") or not isinstance(found, click.Group):
            break
        there = found.get_command(click.Context(found), word)
        if there is None:
            return False
        found = there
    return not isinstance(found, click.Group)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (DOCS / target).exists(), target
