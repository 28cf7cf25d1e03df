"""Metering from a real lake, supervision and the yearly summary, read back by independent readers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docx
import openpyxl
import pytest
from sqlalchemy import select

from kernel.db import Database
from kernel.event import event_id, timestamp
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from kernel.zones.plan import Zone
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.documents import docx as as_docx
from operations.documents import pdf
from operations.errors import Invalid
from operations.searches.models import SearchRun
from operations.searches.service import create_search
from operations.services import service
from operations.services.metering import meter
from operations.services.summary_document import document
from operations.services.summary_sheet import xlsx
from operations.services.supervision import services_kept, summary, usage_of_month
from operations.services.usage import Usage
from operations.tickets import service as tickets
from operations.tickets.schema import Draft
from operations.zones import service as zones
from tests.operations.organisations_city import TRAFFIC, WATER, City

NOW = "2026-11-26T04:00:00.000000Z"
"""Noon in Beijing."""


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def setting(moment: str) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    setting(NOW)
    return setting


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    store = Lake.open(tmp_path / "lake", writable=True, demo=True)
    noon = datetime(2026, 11, 26, 4, tzinfo=UTC)
    midnight = datetime(2026, 11, 25, 16, tzinfo=UTC)  # in Beijing
    rows = [
        *((noon, {"host.zone": "water-office"}) for _ in range(5)),
        *((noon, {"source.zone": "water-ot", "destination.zone": "traffic-office"}) for _ in range(3)),
        (midnight, {"host.zone": "traffic-office"}),
        (midnight - timedelta(seconds=1), {"host.zone": "traffic-office"}),
        (noon, {"host.zone": "elsewhere"}),
    ]
    events = [
        {"@timestamp": timestamp(at), "event.id": event_id("m", number), "event.dataset": "x"} | more
        for number, (at, more) in enumerate(rows)
    ]
    store.commit(Commit(events, consumer="t", position=1))
    yield store
    store.close()


def rows_of(city: City) -> dict[tuple[str, str], tuple[int, int, int]]:
    with city.database.read() as session:
        return {(row.day, row.bureau): (row.events, row.permits, row.certificates) for row in session.scalars(select(Usage))}


def test_metering_counts_by_zone_and_day_of_beijing(city: City, lake: Lake, set_clock: Callable[[str], None]) -> None:
    written = meter(city.database, lake, NOW)
    assert written == 8 * 2
    found = rows_of(city)
    assert found[("2026-11-26", WATER)] == (8, 0, 0)
    assert found[("2026-11-26", TRAFFIC)] == (4, 0, 0)
    assert found[("2026-11-25", TRAFFIC)] == (1, 0, 0)
    assert found[("2026-11-25", WATER)] == (0, 0, 0)
    meter(city.database, lake, NOW)
    assert rows_of(city) == found
    with city.database.read() as session:
        statistics = lake.statistics()
        row = session.get_one(Usage, ("2026-11-26", WATER))
        assert row.bytes == round(8 * statistics["bytes"] / statistics["events"])


def test_days_that_have_settled_stay_as_they_are(city: City, lake: Lake) -> None:
    meter(city.database, lake, NOW)
    later = "2026-12-01T04:00:00.000000Z"
    assert meter(city.database, lake, later) == 8 * 2  # also the days that had not settled at the first time
    with city.database.read() as session:
        stamps = {row.day: row.metered_at for row in session.scalars(select(Usage).where(Usage.bureau == WATER))}
    assert stamps["2026-11-20"] == NOW
    assert stamps["2026-11-26"] == later
    assert meter(city.database, lake, later) < 8 * 2


def test_permits_in_force_are_those_at_the_end_of_the_day(city: City, lake: Lake, set_clock: Callable[[str], None]) -> None:
    water, own = city.as_("water")
    planner, whole = city.as_("planner")
    form = {"source": "water-office", "target": "traffic-office", "services": ["https"], "days": 2, "reason": "x"}
    with own.write() as session:
        one = service.apply(session, water, "cross-zone-permit", form)
    for act in ("accept", "issue"):
        with whole.write() as session:
            service.act(session, planner, one.id, act)
    for day, wanted in (("25", 0), ("26", 1), ("27", 1), ("28", 0), ("29", 0)):
        moment = f"2026-11-{day}T05:00:00.000000Z"
        set_clock(moment)
        meter(city.database, lake, moment)
        assert rows_of(city)[(f"2026-11-{day}", WATER)][1] == wanted, day
        assert rows_of(city)[(f"2026-11-{day}", TRAFFIC)][1] == 0


def test_periods_that_were_kept_and_those_that_were_not(city: City, set_clock: Callable[[str], None]) -> None:
    water, own = city.as_("water")
    duty, whole = city.as_("duty.one")
    form = {"gigabytes": 100, "days": 365, "reason": "x"}
    with own.write() as session:
        first, second, third = (service.apply(session, water, "quota", form) for _ in range(3))
    set_clock(clock.shift(NOW, 2 * 3600))
    with whole.write() as session:
        service.act(session, duty, first.id, "accept")
    set_clock(clock.shift(NOW, 8 * 3600))
    with whole.write() as session:
        service.act(session, duty, first.id, "issue")
    set_clock(clock.shift(NOW, 10 * 3600))
    with whole.write() as session:
        service.act(session, duty, second.id, "accept")
        kept = next(one for one in services_kept(session, NOW, "2027", WATER) if one.service == "quota")
    assert (kept.applied, kept.issued, kept.waiting, kept.overdue, kept.late) == (3, 1, 2, 1, 1)
    assert (kept.accept_hours, kept.issue_hours) == (6.0, 6.0)
    with city.as_("traffic")[1].read() as session:
        assert sum(one.applied for one in services_kept(session, NOW, "2027")) == 0
    assert third.id


def test_a_bureau_gets_its_own_summary_only(city: City, lake: Lake, set_clock: Callable[[str], None]) -> None:
    meter(city.database, lake, NOW)
    with city.as_("traffic")[1].read() as session:
        assert [name for name, _month in usage_of_month(session, "2026-11")] == [TRAFFIC]
        assert summary(session, TRAFFIC, 2026).months[10].events == 5
        with pytest.raises(Invalid):
            summary(session, WATER, 2026)
    with city.database.read() as session:
        assert [name for name, _month in usage_of_month(session, "2026-11")] == [WATER, TRAFFIC]
        with pytest.raises(Invalid):
            summary(session, WATER, 20260)


def test_searches_are_those_of_people_keys_and_schedules(city: City, lake: Lake, set_clock: Callable[[str], None]) -> None:
    def asked(actor: str, action: str, moment: str = NOW) -> None:
        set_clock(moment)
        with city.database.write() as session:
            audit.append(session, Actor(actor), action, "events")

    asked("water", "events.search")
    asked("water.two", "events.export")
    asked("key:from the (old) tool (water)", "events.search")
    asked("water", "events.top")  # a look at the values of a field
    asked("duty.one", "events.search")  # the operator's
    asked("traffic", "events.search", "2026-11-26T15:59:59.999999Z")
    asked("traffic", "events.search", "2026-11-26T16:00:00.000000Z")  # the next day in Beijing
    set_clock(NOW)
    who, database = city.as_("traffic")
    with database.write() as session:
        saved = create_search(session, who, "每小时", "failed", span="1h")
        session.add(SearchRun(search_id=saved.id, start=NOW, end=NOW, hits=0, milliseconds=1, error="", at=NOW))
    meter(city.database, lake, "2026-11-26T17:00:00.000000Z")
    with city.database.read() as session:
        assert {name: month.searches for name, month in usage_of_month(session, "2026-11")} == {WATER: 3, TRAFFIC: 3}
        of_days = {row.day: row.searches for row in session.scalars(select(Usage).where(Usage.bureau == TRAFFIC))}
    assert (of_days["2026-11-26"], of_days["2026-11-27"]) == (2, 1)


def test_the_files_of_a_summary(city: City, lake: Lake, set_clock: Callable[[str], None]) -> None:
    evil = '=HYPERLINK("http://x","y")'
    with city.database.write() as session:
        zones.save_zone(session, Actor("plan"), Zone(id="evil", name="x", layer="network", owner=evil, ranges=("10.99.0.0/16",)))
    meter(city.database, lake, NOW)
    who, whole = city.as_("duty.one")
    with whole.write() as session:
        tickets.create(session, who, Draft("remediation", "t", bureau=WATER, due_at="2026-11-26T05:00:00Z"))
        hostile = summary(session, evil, 2026)
    set_clock("2026-11-27T04:00:00.000000Z")
    with city.database.read() as session:
        found = summary(session, WATER, 2026)
    assert (found.tickets, found.tickets_done, found.tickets_overdue) == (1, 0, 1)
    book = openpyxl.load_workbook(io.BytesIO(xlsx(found)))
    assert book.sheetnames == ["服务办理情况", "用量", "工单"]
    assert [cell.value for cell in book["用量"][12]][:2] == ["2026-11", 8]
    assert [cell.value for cell in book["用量"][1]][-1] == "检索次数"
    assert book["服务办理情况"]["A4"].value == "跨区访问许可"
    for sheet in openpyxl.load_workbook(io.BytesIO(xlsx(hostile))).worksheets:
        for row in sheet.iter_rows():
            assert not [cell for cell in row if cell.data_type == "f"]
    for language in ("zh", "en"):
        made = document(found, "莲城", "2026-11-26", language)
        read = docx.Document(io.BytesIO(as_docx(made)))
        assert any(WATER in paragraph.text for paragraph in read.paragraphs)
        assert read.tables[1].rows[11].cells[1].text == "8"
        assert pdf(made).startswith(b"%PDF-")
