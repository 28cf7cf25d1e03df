"""The list of incidents, its count and its facets: what a page costs, and that they agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.db import Database
from operations import title_search
from operations.incidents import service
from operations.incidents.schema import IncidentFilter, NewIncident
from tests.operations.incidents.conftest import ALICE
from tests.operations.statements import statements

TITLES = ("Tool 1 quiet", "tool 2 quiet", "Tool_3 loud", "编号 工具")


@pytest.fixture
def four(act: Callable[..., Any]) -> None:
    for title in TITLES:
        act(service.create_incident, ALICE, NewIncident(title=title))


def page(database: Database, text: str) -> tuple[list[str], int, int]:
    """Titles, count and facet of what has the text, as one page asks for them."""
    where = IncidentFilter(text=text, severity=("medium",))
    with database.read() as session:
        rows = service.list_incidents(session, where).incidents
        facet = service.facets(session, where)["phase"]
        return (
            sorted(row.title for row in rows),
            service.count_incidents(session, where).count,
            sum(number for _value, number in facet),
        )


def test_a_page_searches_its_text_once(city: Database, four: None) -> None:
    with statements(city) as sent:
        assert page(city, "tool quiet") == (["Tool 1 quiet", "tool 2 quiet"], 2, 2)
    assert sum("MATCH" in one for one in sent) == 1
    assert not any("LIKE" in one.upper() for one in sent)


@pytest.mark.parametrize("few", [0, 1, 5000])
@pytest.mark.parametrize(("text", "found"), [("tool", 3), ("TOOL_", 1), ("%", 0), ("工具", 1), ("quiet 2026", 2), ("no such", 0)])
def test_a_text_that_many_have_is_found_alike(
    city: Database, four: None, monkeypatch: pytest.MonkeyPatch, text: str, found: int, few: int
) -> None:
    monkeypatch.setattr(title_search, "MOST_IDS", few)
    titles, count, facet = page(city, text)
    assert (len(titles), count, facet) == (found, found, found)
