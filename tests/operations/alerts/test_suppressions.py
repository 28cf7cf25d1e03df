"""Suppressions: what they keep out of the queue and count, where they end, and what they can never hide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pytest
from sqlalchemy import insert, select, update

from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.alerts import service
from operations.alerts.desk_models import Suppression
from operations.alerts.schema import AlertFilter, Change
from operations.alerts.suppressions import Draft, SuppressionFilter, SuppressionRecord
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.reach import SESSION_KEY
from operations.webhooks.models import WebhookDelivery, WebhookTarget
from operations.zones.models import ZoneRow

Make = Callable[..., Detection]
OPEN = ("new", "acknowledged", "in_progress")


@pytest.fixture
def zones(database: Database) -> None:
    """A field zone of the water authority, an office zone of the same, one of others."""
    rest = {
        "name_en": "", "importance": 3, "ranges": "[]", "vlans": "[]", "sensors": "[]", "internet": "conduit", "admission": "open",
        "changed_at": "", "changed_by": "", "version": 1,
    }  # fmt: skip
    rows = [("plc", "perception", "water"), ("office", "cloud", "water"), ("cameras", "perception", "traffic")]
    with database.write() as session:
        session.execute(
            insert(ZoneRow), [{"id": key, "name": key, "layer": layer, "owner": owner, **rest} for key, layer, owner in rows]
        )


def draft(rule: str = "rule-1", *entities: tuple[str, str], days: float = 1, **more: Any) -> Draft:
    until = clock.shift(clock.now(), 86_400 * days)
    return Draft(rule, entities, until, more.pop("reason", "known scanner"), **more)


def suppress(database: Database, who: Principal, wanted: Draft) -> SuppressionRecord:
    with database.write() as session:
        return service.suppress(session, who, msgspec.structs.replace(wanted, rule_name=wanted.rule_name or "Name"))


def record(database: Database, *detections: Detection) -> list[int]:
    """One by one, so that the ids are in their order."""
    with database.write() as session:
        return [number for one in detections for number in service.record_detections(session, [one]).new_alert_ids]


def statuses(database: Database, ids: list[int]) -> list[tuple[str, int | None]]:
    with database.read() as session:
        rows = [service.get_alert(session, number) for number in ids]
    return [(row.status, row.suppressed_by) for row in rows]


def queue(database: Database, status: tuple[str, ...] = OPEN) -> int:
    with database.read() as session:
        where = AlertFilter(status=status)
        page, counted = service.list_alerts(session, where, limit=500), service.count_alerts(session, where)
    assert (len(page.alerts), True) == (counted.count, counted.exact)
    return counted.count


def scoped(database: Database, *zones: str, name: str = "mia", organisations: tuple[str, ...] = ()) -> tuple[Principal, Database]:
    """An analyst whose scope is these zones, and the database as she sees it."""
    with database.write() as session:
        alice = session.execute(select(User).where(User.id == 1)).scalar_one()
        values = {column.name: getattr(alice, column.key) for column in User.__mapper__.column_attrs for column in column.columns}
        values |= {"id": 1 + len(session.execute(select(User.id)).all()), "name": name, "name_key": name}
        values |= {"zones": orjson.dumps(zones).decode(), "organisations": orjson.dumps(organisations).decode()}
        session.execute(insert(User.__table__).values(**values))  # type: ignore[arg-type]
    seen = frozenset(zones)
    who = Principal(values["id"], name, "", "analyst", zones=seen, organisations=frozenset(organisations))
    return who, database.carrying({SESSION_KEY: seen})


def test_new_alerts_stay_out_of_the_queue_and_are_counted(database: Database, alice: Principal, make: Make) -> None:
    [before] = record(database, make())
    one = suppress(database, alice, draft())
    ids = record(database, make(host="web2"), make(host="web3"), make(rule="rule-2"))
    assert statuses(database, [before, *ids]) == [("new", None), ("suppressed", one.id), ("suppressed", one.id), ("new", None)]
    assert (queue(database), queue(database, ("suppressed",)), queue(database, ())) == (2, 2, 4)
    record(database, make(host="web2"))  # counts up in the alert that is out of the queue
    with database.read() as session:
        assert service.get_alert(session, ids[0]).count == 2
        [told] = service.list_suppressions(session, alice).suppressions
        [facet] = service.facets(session, AlertFilter(status=("new",)), ("status",))
        listed = service.list_alerts(session, AlertFilter(suppression=(one.id,))).alerts
    assert (told.hits, told.state, bool(told.last_hit_at)) == (2, "active", True)
    assert {value.value: value.count for value in facet.values} == {"new": 2, "suppressed": 2}
    assert sorted(row.id for row in listed) == ids[:2]


def test_every_entity_has_to_be_named(database: Database, alice: Principal, make: Make) -> None:
    one = suppress(database, alice, draft("rule-1", ("host", "WEB1"), ("ip", "::ffff:192.0.2.7")))
    assert one.entities == [("host", "web1"), ("ip", "192.0.2.7")]
    both, half, other = record(
        database, make(source__ip="192.0.2.7"), make(source__ip="192.0.2.8"), make(host="web2", source__ip="192.0.2.7")
    )
    assert [status for status, _ in statuses(database, [both, half, other])] == ["suppressed", "new", "new"]


@pytest.mark.parametrize("end", ["lifted", "expired"])
def test_what_comes_after_the_end_shows_again(database: Database, alice: Principal, make: Make, end: str) -> None:
    one = suppress(database, alice, draft())
    [hidden] = record(database, make())
    with database.write() as session:
        if end == "lifted":
            assert service.lift(session, alice, one.id, expected_version=1).state == "ended"
        else:
            session.execute(update(Suppression).values(until=clock.shift(clock.now(), -1)))
    [shown] = record(database, make())  # within the window: it must not count up where nobody looks
    assert statuses(database, [hidden, shown]) == [("suppressed", one.id), ("new", None)]
    with database.read() as session:
        assert service.get_suppression(session, alice, one.id).state == "ended"
        assert not service.list_suppressions(session, alice, SuppressionFilter("active")).suppressions
    if end == "lifted":
        with database.write() as session, pytest.raises(Conflict):
            service.lift(session, alice, one.id, expected_version=2)


def test_lifting_needs_the_version_and_is_audited(database: Database, alice: Principal, make: Make) -> None:
    one = suppress(database, alice, draft(reason="printer scans"))
    with database.write() as session, pytest.raises(Stale):
        service.lift(session, alice, one.id, expected_version=7)
    with database.write() as session:
        service.lift(session, alice, one.id, expected_version=1)
    with database.read() as session:
        acts = [(entry.action, entry.object_id) for entry in audit.listing(session, limit=2).entries]
    assert acts == [("suppression.lift", str(one.id)), ("suppression.create", str(one.id))]


def test_who_takes_a_suppressed_alert_up_brings_it_back(database: Database, alice: Principal, make: Make) -> None:
    one = suppress(database, alice, draft())
    [alert] = record(database, make())
    with database.write() as session:
        row = service.change_alert(session, alice.actor, alert, Change(status="acknowledged"))
    assert (row.status, row.suppressed_by, queue(database)) == ("acknowledged", one.id, 1)
    with database.write() as session, pytest.raises(Invalid):
        service.change_alert(session, alice.actor, alert, Change(status="suppressed"))
    record(database, make())
    assert queue(database, ("suppressed",)) == 1  # what comes meanwhile falls under the suppression as before


def test_a_scope_bounds_it(database: Database, zones: None, make: Make) -> None:
    mia, seen = scoped(database, "office", "plc", organisations=("water",))
    one = suppress(seen, mia, draft("rule-1"))
    assert one.limited
    ids = record(
        database,
        make(host="a", host__zone="office"),
        make(host="b", source__zone="office", destination__zone="cameras"),  # the others would lose it, too
        make(host="c", host__zone="cameras"),
        make(host="d"),
    )
    assert [status for status, _ in statuses(database, ids)] == ["suppressed", "new", "new", "new"]
    with database.write() as session:  # her scope is cut: so is what she made
        session.execute(update(User).where(User.id == mia.user_id).values(zones='["plc"]', organisations="[]"))
    [later] = record(database, make(host="e", host__zone="office"))
    assert statuses(database, [later]) == [("new", None)]


def test_nobody_of_another_scope_sees_or_lifts_it(database: Database, alice: Principal, zones: None) -> None:
    mia, hers = scoped(database, "office", "plc", organisations=("water",))
    tom, his = scoped(database, "cameras", name="tom", organisations=("traffic",))
    one = suppress(hers, mia, draft())
    city = suppress(database, alice, draft("rule-9"))
    for who, seen, number in ((tom, his, one.id), (mia, hers, city.id)):
        with seen.write() as session, pytest.raises(NotFound):
            service.lift(session, who, number, expected_version=None)
        with seen.read() as session, pytest.raises(NotFound):
            service.get_suppression(session, who, number)
    with hers.read() as session:
        assert [row.id for row in service.list_suppressions(session, mia).suppressions] == [one.id]
    with database.read() as session:
        assert len(service.list_suppressions(session, alice).suppressions) == 2
    with hers.write() as session, pytest.raises(Invalid):
        service.suppress(session, mia, draft("rule-1", ("zone", "cameras"), rule_name="n"))


def test_critical_alerts_of_ot_zones_need_a_security_administrator(
    database: Database, alice: Principal, zones: None, make: Make
) -> None:
    admin = Principal(2, "sven", "", "secadmin")
    one = suppress(database, alice, draft("rule-1", critical_ot=True))
    critical = {"level": "critical", "host__zone": "plc"}
    ids = record(
        database, make(host="a", **critical), make(host="b", level="high", host__zone="plc"),
        make(host="c", level="critical", host__zone="office"),
    )  # fmt: skip
    assert [status for status, _ in statuses(database, ids)] == ["new", "suppressed", "suppressed"]
    with database.write() as session:
        assert service.count_asked(session) == 1
        assert service.release(session, admin, one.id, agreed=True, expected_version=1).released_by == "sven"
        assert service.count_asked(session) == 0
    [later] = record(database, make(host="d", **critical))
    assert statuses(database, [later]) == [("suppressed", one.id)]
    with database.write() as session, pytest.raises(Conflict):
        service.release(session, admin, one.id, agreed=False, expected_version=2)
    other = suppress(database, alice, draft("rule-2"))
    with database.write() as session, pytest.raises(Conflict):  # nobody asked
        service.release(session, admin, other.id, agreed=True, expected_version=1)


def test_the_preview_counts_what_it_would_have_kept_out(database: Database, alice: Principal, zones: None, make: Make) -> None:
    now = clock.now()
    recent, old = clock.shift(now, -3600), clock.shift(now, -8 * 86_400)
    record(
        database, make(host="a", time=recent, host__zone="plc", level="critical"), make(host="b", time=recent, host__zone="office"),
        make(host="b", time=old, host__zone="office"), make(rule="rule-2", host="b", time=recent),
    )  # fmt: skip
    _mia, hers = scoped(database, "office", organisations=("water",))
    with database.read() as session:
        every = service.preview_suppression(session, draft())
        assert (every.total, every.by_level, every.still_shown) == (1, {"high": 1}, 1)
        assert service.preview_suppression(session, draft(critical_ot=True)).total == 2
        assert service.preview_suppression(session, draft("rule-1", ("host", "a"))).total == 0
        assert service.preview_suppression(session, draft("rule-1", ("host", "b"))).total == 1
    with hers.read() as session:
        assert service.preview_suppression(session, draft(critical_ot=True)).total == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (draft(days=91), "until"),
        (draft(days=-1), "until"),
        (msgspec.structs.replace(draft(), until=""), "until"),
        (draft(reason=" \n"), "reason"),
        (draft(reason="r" * 1001), "reason"),
        (draft("rule-1", ("colour", "red")), "entity"),
        (draft("rule-1", ("host", "-")), "entity"),
        (draft("rule-1", *((("host", f"h{n}")) for n in range(6))), "entity"),
        (draft("unheard-of"), "rule"),
    ],
)
def test_what_is_refused(database: Database, alice: Principal, make: Make, wrong: Draft, field: str) -> None:
    record(database, make())
    with database.write() as session, pytest.raises(Invalid) as refusal:
        service.suppress(session, alice, wrong)
    assert refusal.value.field == field


def test_sorting_filtering_paging(database: Database, alice: Principal) -> None:
    made = [suppress(database, alice, draft(f"rule-{n % 3}", days=1 + n % 4, reason=f"reason {n}")) for n in range(11)]
    with database.write() as session:
        session.execute(update(Suppression).where(Suppression.id == made[4].id).values(hits=9))
    for sort in ("created", "until", "hits", "last_hit"):
        for ascending in (False, True):
            found, cursor = [], ""
            with database.read() as session:
                while True:
                    page = service.list_suppressions(session, alice, sort=sort, ascending=ascending, limit=3, cursor=cursor)
                    found += page.suppressions
                    cursor = page.cursor
                    if not cursor:
                        break
            values = [(getattr(one, {"created": "id", "last_hit": "last_hit_at"}.get(sort, sort)), one.id) for one in found]
            assert values == sorted(values, reverse=not ascending)
            assert len(found) == 11
    with database.read() as session:
        assert len(service.list_suppressions(session, alice, SuppressionFilter(rule="rule-1")).suppressions) == 4
        [found_one] = service.list_suppressions(session, alice, SuppressionFilter(text="REASON 7")).suppressions
        assert found_one.id == made[7].id
        with pytest.raises(Invalid):
            service.list_suppressions(session, alice, cursor="x~y")


@pytest.mark.parametrize("sort", ["created", "hits"])
def test_a_cursor_beyond_every_number_is_refused(database: Database, alice: Principal, sort: str) -> None:
    with database.read() as session, pytest.raises(Invalid) as refusal:
        service.list_suppressions(session, alice, sort=sort, cursor="9" * 27 + "~1")
    assert refusal.value.field == "cursor"


def test_webhooks_tell_of_suppressions_and_not_of_what_they_keep_out(database: Database, alice: Principal, make: Make) -> None:
    with database.write() as session:
        target = {"url": "https://example.com", "sealed_secret": "", "min_level": "low", "enabled": True}
        session.add(WebhookTarget(name="t", created_at=clock.now(), created_by="a", **target))
    one = suppress(database, alice, draft())
    record(database, make(), make(rule="rule-2"))
    with database.write() as session:
        service.lift(session, alice, one.id, expected_version=None)
    with database.read() as session:
        told = session.execute(select(WebhookDelivery.event_type).order_by(WebhookDelivery.id)).scalars().all()
    assert told == ["suppression.created", "alert.created", "suppression.lifted"]
