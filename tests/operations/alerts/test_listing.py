"""The queue: every filter and page against a plain Python reading of the same alerts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from kernel.db import Database
from kernel.detection import LEVELS, Detection
from operations.accounts.schema import Principal
from operations.alerts import facets as facets_module
from operations.alerts import listing, service
from operations.alerts import text as text_module
from operations.alerts.schema import UNASSIGNED, AlertFilter, AlertRow, Change, Count
from operations.errors import Invalid
from operations.reach import SESSION_KEY
from tests.operations.statements import statements

Make = Callable[..., Detection]


@pytest.fixture
def queue(database: Database, make: Make, alice: Principal) -> list[AlertRow]:
    """300 alerts with many equal times, in every status; newest first."""
    dice = random.Random(7)
    detections = [
        make(
            rule=f"rule-{dice.randrange(12)}",
            host=f"host{number}",
            time=f"2026-11-{1 + dice.randrange(9):02d}T0{dice.randrange(3)}:00:00.000000Z",
            level=dice.choice(LEVELS),
            engine=dice.choice(["sigma", "yara"]),
            tags=dice.sample(["attack.execution", "attack.t1059", "car.1", "attack.impact"], 2),
            process__name=f"工具箱{dice.randrange(5)}.exe",
        )
        for number in range(300)
    ]
    with database.write() as session:
        ids = service.record_detections(session, detections).new_alert_ids
    assert len(ids) == 300
    with database.write() as session:
        service.change_alerts(session, alice.actor, ids[0:60], Change(status="acknowledged", assignee="alice"))
        service.change_alerts(session, alice.actor, ids[60:80], Change(status="in_progress"))
        service.change_alerts(session, alice.actor, ids[80:150], Change(status="closed", verdict="benign"))
    return walk(database, AlertFilter())


def walk(database: Database, where: AlertFilter, limit: int = 500, oldest_first: bool = False) -> list[AlertRow]:
    found: list[AlertRow] = []
    cursor = ""
    with database.read() as session:
        while True:
            page = service.list_alerts(session, where, limit=limit, cursor=cursor, oldest_first=oldest_first)
            found += page.alerts
            cursor = page.cursor
            if not cursor:
                return found


def test_pages_neither_skip_nor_repeat(database: Database, queue: list[AlertRow]) -> None:
    assert [(row.last_seen, row.id) for row in queue] == sorted(((row.last_seen, row.id) for row in queue), reverse=True)
    assert walk(database, AlertFilter(), limit=7) == queue
    assert walk(database, AlertFilter(), limit=7, oldest_first=True) == queue[::-1]


FILTERS: list[tuple[AlertFilter, Callable[[AlertRow], bool]]] = [
    (AlertFilter(status=("new",)), lambda row: row.status == "new"),
    (AlertFilter(status=("new", "in_progress")), lambda row: row.status in ("new", "in_progress")),
    (AlertFilter(level=("high", "critical")), lambda row: row.level in ("high", "critical")),
    (
        AlertFilter(status=("new", "closed"), level=("low", "high")),
        lambda row: row.status in ("new", "closed") and row.level in ("low", "high"),
    ),
    (AlertFilter(engine=("yara",), level=("low",)), lambda row: row.engine == "yara" and row.level == "low"),
    (
        AlertFilter(engine=("yara",), status=("new", "acknowledged")),
        lambda row: row.engine == "yara" and row.status in ("new", "acknowledged"),
    ),
    (AlertFilter(rule=("rule-1", "rule-2")), lambda row: row.rule_id in ("rule-1", "rule-2")),
    (AlertFilter(host=("HOST7",)), lambda row: row.host == "host7"),
    (AlertFilter(tag=("car.1",)), lambda row: "car.1" in row.tags),
    (
        AlertFilter(tag=("car.1", "attack.impact"), status=("new",)),
        lambda row: row.status == "new" and bool({"car.1", "attack.impact"} & set(row.tags)),
    ),
    (AlertFilter(assignee=("alice",)), lambda row: row.assignee == "alice"),
    (AlertFilter(assignee=(UNASSIGNED,), level=("low",)), lambda row: row.assignee is None and row.level == "low"),
    (AlertFilter(assignee=("alice", UNASSIGNED)), lambda row: row.assignee in ("alice", None)),
    (AlertFilter(verdict=("benign",)), lambda row: row.verdict == "benign"),
    (AlertFilter(entity=(("host", "Host12"),)), lambda row: row.host == "host12"),
    (AlertFilter(entity=(("host", "host12"), ("ip", "192.0.2.1"))), lambda row: False),
    (AlertFilter(text="RULE-3"), lambda row: "rule-3" in row.rule_id),
    (
        AlertFilter(text='"name of rule-1" host1'),
        lambda row: row.rule_id.startswith("rule-1") and str(row.host).startswith("host1"),
    ),
    (AlertFilter(text="100%_nothing"), lambda row: False),
    (
        AlertFilter(start="2026-11-03T00:00:00.000000Z", end="2026-11-05T01:00:00.000000Z"),
        lambda row: "2026-11-03T00:00:00.000000Z" <= row.last_seen < "2026-11-05T01:00:00.000000Z",
    ),
]


@pytest.mark.parametrize("few", [5000, 3], ids=["ids first", "walking"])
@pytest.mark.parametrize(("where", "expected"), FILTERS)
def test_filters(
    database: Database,
    queue: list[AlertRow],
    where: AlertFilter,
    expected: Callable[[AlertRow], bool],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    wanted = [row.id for row in queue if expected(row)]
    assert [row.id for row in walk(database, where, limit=11)] == wanted
    with database.read() as session:
        count = service.count_alerts(session, where)
        assert service.matching_ids(session, where, 1000) == wanted
        assert service.new_since(session, where, 0).count == len(wanted)
    assert (count.count, count.exact) == (len(wanted), True)


@pytest.mark.parametrize("words", ["工具箱3", "具箱", "箱", "工具箱 RULE"])
def test_chinese_is_found_by_any_part(database: Database, queue: list[AlertRow], words: str) -> None:
    found = walk(database, AlertFilter(text=words))
    assert 0 < len(found) <= len(queue)
    if words != "工具箱3":
        assert len(found) == len(queue)


@pytest.mark.parametrize("words", ["工具箱3", "具箱", "3.", "rule-1 箱", "工具", "_", "%", "nowhere", "n%e"])
@pytest.mark.parametrize("status", [(), ("new",), ("acknowledged", "in_progress", "closed")])
def test_a_text_is_found_alike_on_every_way_to_it(
    database: Database, queue: list[AlertRow], monkeypatch: pytest.MonkeyPatch, words: str, status: tuple[str, ...]
) -> None:
    """Few hits are looked up, many are met while walking the queue: list, count and facets must not tell which."""
    where = AlertFilter(text=words, status=status)
    answers = []
    for few in (20_000, 0):
        monkeypatch.setattr(listing, "TEXT_FEW", few)
        found = [row.id for row in walk(database, where, limit=7)]
        with database.read() as session:
            count = service.count_alerts(session, where)
            assert count.count == len(found) if count.exact else count.count == few < len(found)
            answers.append((found, service.facets(session, where)))
    assert answers[0] == answers[1]
    tags = {entry.value: entry.count for facet in answers[0][1] if facet.dimension == "tag" for entry in facet.values}
    assert tags == Counter(tag for row in queue if row.id in answers[0][0] for tag in row.tags)


@pytest.mark.parametrize("words", ["r1", "r", "工具箱", "zebra"])
def test_a_text_is_found_alike_in_a_few_zones(database: Database, make: Make, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Few of all, few of those zones, or met while walking the queue: list and count must not tell which."""
    with database.write() as session:
        made = [make(rule=f"r{n}", host__zone="abc"[n % 3], process__name="工具箱.exe") for n in range(60)]
        service.record_detections(session, made)
    wanted = [row.id for row in walk(database, AlertFilter(text=words)) if int(row.rule_id[1:]) % 3]
    assert bool(wanted) == (words != "zebra")
    scoped = database.carrying({SESSION_KEY: frozenset({"b", "c"})})
    for few, few_scoped in ((5_000, 30_000), (3, 30_000), (3, 3)):
        monkeypatch.setattr(listing, "TEXT_FEW", few)
        monkeypatch.setattr(listing, "TEXT_FEW_SCOPED", few_scoped)
        with scoped.read() as session:
            found = service.list_alerts(session, AlertFilter(text=words), limit=500).alerts
            assert sorted(row.id for row in found) == sorted(wanted)
            assert service.count_alerts(session, AlertFilter(text=words)) == Count(len(wanted))


def test_a_text_written_in_the_same_transaction_is_found(database: Database, make: Make) -> None:
    with database.write() as session:
        assert not service.list_alerts(session, AlertFilter(text="fresher")).alerts
        service.record_detections(session, [make(rule="fresher")])
        assert len(service.list_alerts(session, AlertFilter(text="fresher")).alerts) == 1


def test_a_count_that_is_too_large_says_so(database: Database, queue: list[AlertRow], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_LIMIT", 100)
    with database.read() as session:
        count = service.count_alerts(session, AlertFilter(text="rule"))
    assert (count.count, count.exact) == (100, False)


def test_who_sees_some_zones_is_told_at_least_how_many(database: Database, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_LIMIT_SCOPED", 20)
    monkeypatch.setattr(facets_module, "SAMPLE_SCOPED", 20)
    with database.write() as session:
        service.record_detections(session, [make(rule=f"r{n}", host__zone="a" if n % 3 else "b", level="low") for n in range(60)])
    for zone, count, exact in (("a", 20, False), ("b", 20, True), ("c", 0, True)):
        with database.carrying({SESSION_KEY: frozenset({zone})}).read() as session:
            found = service.count_alerts(session, AlertFilter(level=("low",), engine=("sigma",)))
            [facet] = service.facets(session, AlertFilter(), ("engine",))
        assert (found.count, found.exact) == (count, exact)
        assert (sum(value.count for value in facet.values), facet.exact) == (count, exact)
    with database.read() as session:  # no limit of zones: the kept counts know it
        assert service.count_alerts(session, AlertFilter(engine=("sigma",))) == Count(60)


@pytest.mark.parametrize("short", [0, 8_000])
def test_a_page_of_words_in_some_zones_is_the_same_however_it_is_found(
    database: Database, make: Make, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    monkeypatch.setattr(listing, "TEXT_FEW_SHORT", short)  # 0: the queue is walked, texts are looked up alert by alert
    with database.write() as session:
        service.record_detections(session, [make(rule=f"word{n % 2}", host=f"h{n}", host__zone="ab"[n % 3 > 0]) for n in range(40)])
    with database.carrying({SESSION_KEY: frozenset({"b"})}).read() as session:
        page = service.list_alerts(session, AlertFilter(text="WORD1", status=("new",)), limit=5)
        rest = service.list_alerts(session, AlertFilter(text="WORD1", status=("new",)), limit=50, cursor=page.cursor)
        assert service.list_alerts(session, AlertFilter(text="word2")).alerts == []
    found = {row.host for row in (*page.alerts, *rest.alerts)}
    assert found == {f"h{n}" for n in range(40) if n % 3 and n % 2}
    assert len(page.alerts) == 5


def test_new_since_counts_what_came_after(database: Database, queue: list[AlertRow], make: Make) -> None:
    with database.read() as session:
        latest = service.latest_id(session)
    with database.write() as session:
        service.record_detections(session, [make(rule="fresh", level="low"), make(rule="fresher", level="high")])
    with database.read() as session:
        assert service.new_since(session, AlertFilter(), latest).count == 2
        assert service.new_since(session, AlertFilter(level=("high",), text="fresher"), latest).count == 1


@pytest.mark.parametrize(
    "cursor", ["x", "2026~1", "2026-11-03T00:00:00.000000Z~x", "' OR 1=1 --", "2026-11-03T00:00:00.000000Z~9999999999999999999"]
)
def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(Invalid, match="cursor"):
        service.list_alerts(session, cursor=cursor)


@pytest.mark.parametrize(
    "where",
    [
        AlertFilter(),
        AlertFilter(status=("new", "acknowledged")),
        AlertFilter(level=("high",)),
        AlertFilter(level=("high",), tag=("car.1",)),
        AlertFilter(status=("new", "closed"), level=("high", "low")),
        AlertFilter(start="2026-11-03T00:00:00.000000Z"),
        AlertFilter(text="rule-1"),
    ],
)
def test_facets_count_what_the_list_shows(database: Database, queue: list[AlertRow], where: AlertFilter) -> None:
    with database.read() as session:
        found = {facet.dimension: facet for facet in service.facets(session, where, limit=100)}
    read: dict[str, Callable[[AlertRow], list[str]]] = {
        "status": lambda row: [row.status],
        "level": lambda row: [row.level],
        "engine": lambda row: [row.engine],
        "rule": lambda row: [row.rule_id],
        "host": lambda row: [row.host] if row.host else [],
        "tag": lambda row: row.tags,
        "assignee": lambda row: [row.assignee or UNASSIGNED],
        "verdict": lambda row: [row.verdict] if row.verdict else [],
    }
    for dimension, values_of in read.items():
        rows = walk(database, msgspec.structs.replace(where, **{dimension: ()}))
        expected = Counter(value for row in rows for value in values_of(row))
        facet = found[dimension]
        assert facet.exact
        shown = {value.value: value.count for value in facet.values}
        assert shown == dict(expected) if len(expected) <= 100 else len(shown) == 100
    assert all(value.label == f"Name of {value.value}" for value in found["rule"].values)


def test_facets_of_very_many_alerts_say_that_they_are_a_sample(
    database: Database, queue: list[AlertRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets_module, "SAMPLE", 50)
    with database.read() as session:
        [facet] = service.facets(session, AlertFilter(text="rule"), ("level",))
    assert not facet.exact
    assert sum(value.count for value in facet.values) == 50
    monkeypatch.setattr(facets_module, "SAMPLE_OF_MORE", 30)  # where it is known that there are more than SAMPLE
    with database.read() as session:
        [facet] = service.facets(session, AlertFilter(engine=("sigma",)), ("rule",))
    assert (sum(value.count for value in facet.values), facet.exact) == (30, False)


def test_timeline_has_every_alert_once(database: Database, queue: list[AlertRow]) -> None:
    with database.read() as session:
        bars = service.timeline(session, "2026-11-01T00:00:00.000000Z", "2026-11-11T00:00:00.000000Z", bars=240)
    assert len(bars) == 240
    for bar in bars:
        end = f"{datetime.fromisoformat(bar.start) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%f}Z"
        expected = Counter(row.level for row in queue if bar.start <= row.last_seen < end)
        assert {level: number for level, number in bar.counts.items() if number} == dict(expected)


def test_related_alerts_leave_out_the_alert_itself(database: Database, make: Make) -> None:
    with database.write() as session:
        service.record_detections(session, [make(rule="a"), make(rule="b"), make(rule="a", host="OTHER")])
    with database.read() as session:
        ids = {(row.rule_id, row.host): row.id for row in service.list_alerts(session).alerts}
        first, second = ids["a", "web1"], ids["b", "web1"]
        detail = service.get_detail(session, first)
        same_host = service.related(session, detail.alert, detail.entities[0])
        same_rule = service.related(session, detail.alert)
    assert [row.id for row in same_host] == [second]
    assert [row.host for row in same_rule] == ["other"]


def test_detections_of_an_alert_are_paged(database: Database, make: Make) -> None:
    made = [make(time=f"2026-11-23T04:{number // 2:02d}:00.000000Z") for number in range(25)]
    with database.write() as session:
        [alert_id] = service.record_detections(session, made).new_alert_ids
    seen: list[str] = []
    cursor = ""
    with database.read() as session:
        while True:
            page = service.list_detections(session, alert_id, limit=4, cursor=cursor)
            seen += [row.id for row in page.detections]
            cursor = page.cursor
            if not cursor:
                break
    assert len(seen) == 25
    assert set(seen) == {detection.id for detection in made}


@pytest.mark.parametrize("zone", ["", "b"])
def test_common_words_are_not_listed_and_found_all_the_same(
    database: Database, make: Make, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setattr(text_module, "SPREAD", 40)
    for name in ("TEXT_FEW", "TEXT_FEW_SCOPED", "TEXT_FEW_SHORT"):
        monkeypatch.setattr(listing, name, 5)
    with database.write() as session:
        made = [make(rule=f"{'often' if n % 2 else 'else'}{n % 20}", host=f"h{n}", host__zone="ab"[n % 3 > 0]) for n in range(200)]
        service.record_detections(session, made)
    theirs = database.carrying({SESSION_KEY: frozenset({zone})}) if zone else database
    with statements(database) as told, theirs.read() as session:
        where = AlertFilter(text="often", status=("new",))
        assert service.count_alerts(session, where) == Count(sum(n % 2 and (n % 3 > 0 or not zone) for n in range(200)))
        page = service.list_alerts(session, where, limit=500).alerts
        assert {row.host for row in page} == {f"h{n}" for n in range(200) if n % 2 and (n % 3 > 0 or not zone)}
    assert not any("MATCH" in statement for statement in told)  # no reading of the index for all that have it
    with theirs.read() as session:  # few have this one: it is looked for in the index
        assert len(service.list_alerts(session, AlertFilter(text="often19")).alerts) == (7 if zone else 10)
