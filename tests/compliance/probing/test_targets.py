"""Targets: what they need, who may enter them, and that two schedulers never take the same one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from compliance.probing import service
from compliance.probing.schema import TargetDraft, TargetFilter, TargetRecord
from compliance.systems import objects
from operations import clock
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Invalid, NotFound, Stale
from tests.compliance.assessment.small_system import SmallSystem


def enter(small: SmallSystem, way: str = "local", object_id: int | None = None, **more: str) -> TargetRecord:
    with small.database.write() as session:
        return service.add(session, small.who, TargetDraft(small.id, small.host if object_id is None else object_id, way, **more))


@pytest.mark.parametrize(
    ("way", "more", "field"),
    [
        ("telnet", {}, "way"),
        ("ssh", {}, "place"),
        ("ssh", {"place": "h1", "login": "audit"}, "secret"),
        ("ssh", {"place": "h1; rm", "login": "audit", "secret": "key"}, "place"),
        ("ssh", {"place": "h1", "login": "-oProxyCommand=x", "secret": "key"}, "login"),
        ("ssh", {"place": "h1", "login": "audit", "secret": "-----BEGIN"}, "secret"),
        ("tls", {"place": "gw.example.cn"}, "place"),
        ("tls", {"place": "gw.example.cn:443", "secret": "key"}, "secret"),
        ("local", {"place": "h1"}, "place"),
        ("postgresql", {}, "secret"),
        ("ssh", {"place": "h1", "login": "audit", "secret": "key", "ca": "x"}, "ca"),
        ("tls", {"place": "gw.example.cn:443", "ca": "no certificate"}, "ca"),
        ("tls", {"place": "gw.example.cn:443", "host": "h1"}, "host"),
        ("huawei-config", {"place": "/etc/passwd"}, "place"),
        ("huawei-config", {"place": "sw.cfg", "secret": "key"}, "secret"),
        ("huawei-config", {"place": "sw.cfg", "host": "h1"}, "host"),
    ],
)
def test_what_a_way_needs(small: SmallSystem, way: str, more: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        enter(small, way, **more)
    assert refused.value.field == field


def test_enter_pause_remove(small: SmallSystem) -> None:
    made = enter(small, "ssh", place="h1:2222", login="audit", secret="ops-key")
    with pytest.raises(Conflict):
        enter(small, "ssh", place="h1:2222", login="audit", secret="ops-key")
    with pytest.raises(NotFound):
        enter(small, object_id=999)
    with small.database.write() as session:
        objects.take_out(session, small.who, small.id, small.other, "退役", expected_version=None)
    with pytest.raises(Invalid):
        enter(small, object_id=small.other)
    with small.database.write() as session:
        assert [one.id for one in service.take_due(session, 10)] == [made.id]
        assert not service.set_enabled(session, small.who, made.id, False).enabled
    with small.database.write() as session:
        assert service.set_enabled(session, small.who, made.id, True).enabled
        service.remove(session, small.who, made.id)
        assert service.targets(session, small.id) == []
        told = select(AuditEntry.action).where(AuditEntry.action.startswith("probe_target.")).order_by(AuditEntry.id)
        acts = session.execute(told).scalars().all()
    assert acts == ["probe_target.add", "probe_target.pause", "probe_target.resume", "probe_target.remove"]


def test_change_and_who_was_quicker(small: SmallSystem) -> None:
    made = enter(small, "ssh", place="h1:2222", login="audit", secret="ops-key")
    with small.database.write() as session:
        service.note(session, made, "no route to host")
    draft = TargetDraft(small.id, small.other, "ssh", "h2", "audit", "ops-key")
    with small.database.write() as session:
        changed = service.change(session, small.who, made.id, draft, True, expected_version=made.version)
    assert (changed.object_id, changed.place, changed.error, changed.version) == (small.other, "h2", "", 2)
    with small.database.write() as session, pytest.raises(Stale):
        service.change(session, small.who, made.id, draft, False, expected_version=made.version)
    with small.database.write() as session:
        assert service.change(session, small.who, made.id, draft, True, expected_version=2).version == 2, "nothing is another"
        for other in (TargetDraft(small.id, 0, "local"), TargetDraft(small.id, small.other, "ssh", "h2; rm", "audit", "ops-key")):
            with pytest.raises(Invalid):
                service.change(session, small.who, made.id, other, True)
        told = service.change(session, small.who, made.id, draft, False)
        assert (told.enabled, told.version) == (False, 3)
        with pytest.raises(Conflict):
            service.hasten(session, small.who, made.id)
    enter(small, "ssh", small.host, place="h2", login="audit", secret="ops-key")
    with small.database.write() as session, pytest.raises(Conflict):
        service.change(session, small.who, made.id, TargetDraft(small.id, small.host, "ssh", "h2", "audit", "ops-key"), True)


def test_pages(small: SmallSystem) -> None:
    entered = [enter(small, "tls", place=f"h{number}:443") for number in range(5)]
    made = [one.id for one in entered]
    with small.database.write() as session:
        service.note(session, entered[3], "closed")
        first, cursor = service.page(session, TargetFilter(small.id), limit=2)
        rest, end = service.page(session, TargetFilter(), limit=3, cursor=cursor)
        failed, _ = service.page(session, TargetFilter(failed=True), limit=10)
        assert [one.id for one in (*first, *rest)] == made
        assert (end, [one.id for one in failed]) == ("", [made[3]])
        with pytest.raises(Invalid):
            service.page(session, TargetFilter(), limit=2, cursor="nonsense")
        with pytest.raises(NotFound):
            service.page(session, TargetFilter(4711), limit=2)


def test_a_bureau_sees_and_changes_no_way_in(small: SmallSystem) -> None:
    made = enter(small)
    who, database = small.city.as_("water")
    with database.write() as session:
        for act in (
            lambda: service.targets(session),
            lambda: service.get(session, made.id),
            lambda: service.page(session, TargetFilter(), limit=1),
            lambda: service.hasten(session, who, made.id),
            lambda: service.change(session, who, made.id, TargetDraft(small.id, small.host, "local"), False),
            lambda: service.remove(session, who, made.id),
            lambda: service.add(session, who, TargetDraft(small.id, small.host, "platform")),
        ):
            with pytest.raises(NotFound):
                act()


def test_a_target_is_taken_once_and_again_in_an_hour(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    made = enter(small)
    with small.database.write() as session:
        (taken,) = service.take_due(session, 10)
        assert service.take_due(session, 10) == []
    assert taken.id == made.id
    later = clock.shift(clock.now(), service.AGAIN + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with small.database.write() as session:
        (again,) = service.take_due(session, 10)
        assert again.id == made.id
        service.note(session, again, "", "ab" * 32)
        (noted,) = service.targets(session)
    assert (noted.read_at, noted.error, noted.evidence) == (later, "", "ab" * 32)
    assert noted.next_at == clock.shift(later, service.DAY)


def test_who_wants_another_look_during_one_gets_it(small: SmallSystem) -> None:
    made = enter(small, "ssh", place="h1:2222", login="audit", secret="ops-key")
    with small.database.write() as session:
        (taken,) = service.take_due(session, 10)
    with small.database.write() as session:
        wanted = service.hasten(session, small.who, made.id)
    with small.database.write() as session:
        service.note(session, taken, "", "ab" * 32)
        (again,) = service.take_due(session, 10)
    assert (again.evidence, again.id, wanted.next_at < again.next_at) == ("ab" * 32, made.id, True)


def test_a_target_that_leads_elsewhere_is_not_told_what_was_seen_before(small: SmallSystem) -> None:
    made = enter(small, "ssh", place="h1:2222", login="audit", secret="ops-key")
    with small.database.write() as session:
        (taken,) = service.take_due(session, 10)
    with small.database.write() as session:
        service.change(session, small.who, made.id, TargetDraft(small.id, small.other, "ssh", "h2", "audit", "ops-key"), True)
    with small.database.write() as session:
        service.note(session, taken, "", "ab" * 32)
        (again,) = service.take_due(session, 10)
    assert (again.place, again.run_at, again.evidence) == ("h2", "", "")
