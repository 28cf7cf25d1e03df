"""What applies and why: rules first, then people, and nothing silently."""

from __future__ import annotations

import pytest

from compliance.systems import applicability
from compliance.systems.applicability import WHOLE, Decision
from operations.audit import service as audit
from operations.errors import Invalid, NotFound, Stale
from tests.compliance.systems.test_objects import add
from tests.compliance.systems.test_systems import make
from tests.operations.organisations_city import City


def decide(city: City, system: int, item: str, applies: bool, reason: str = "无邮件服务", **more: int | None) -> Decision:
    who, database = city.as_("planner")
    with database.write() as session:
        return applicability.decide(session, who, system, item, applies, reason, **more)  # type: ignore[arg-type]


def test_rules_say_why_for_every_item(city: City) -> None:
    system = make(city, level="S3A2", extensions=("8.5",))
    with city.database.read() as session:
        found = {one.item: one for one in applicability.of_system(session, system)}
    assert len(found) == 211 + 46 + 19 + 20 + 21
    assert sum(one.applies for one in found.values()) == 209 + 21
    assert (found["8.1.4.1.a"].applies, found["8.1.4.1.a"].en) == (True, "S3A2G3: as level 3")
    assert (found["8.5.1.1.a"].applies, found["8.5.1.1.a"].rule) == (True, "extension")
    assert (found["8.2.1.1"].applies, found["8.2.1.1"].en) == (False, "the system does not need 8.2")
    lowered = [one for one in found.values() if not one.applies and one.rule == "level"]
    assert len(lowered) == 2
    assert all("A is below level 3" in one.en and "三级新增" in one.zh for one in lowered)


def test_by_the_kind_of_an_object(city: City) -> None:
    system = make(city)
    with city.database.read() as session:
        scope = applicability.scope_of(session, system)
    assert scope.on("8.1.4.1.a", 1, "server_os").applies
    other = scope.on("8.1.4.1.a", 1, "room")
    assert (other.applies, other.rule, other.zh) == (False, "other_kind", "该项测评对象不含机房")


def test_a_person_decides_with_a_reason(city: City) -> None:
    system = make(city)
    one = add(city, system.id, "server_os", "h1")
    room = add(city, system.id, "room", "r1")
    decide(city, system.id, "8.1.3.4.b", False)
    decide(city, system.id, "8.1.4.1.a", False, "经堡垒机", object_id=one.id)
    decide(city, system.id, "8.1.4.1.a", True, "机房门禁主机", object_id=room.id)
    with city.database.read() as session:
        scope = applicability.scope_of(session, system)
        found = {bearing.item: bearing for bearing in applicability.of_system(session, system)}
        entries = [one for one in audit.listing(session).entries if one.action == "applicability.decide"]
    assert (found["8.1.3.4.b"].applies, found["8.1.3.4.b"].zh) == (False, "无邮件服务")
    mine = scope.on("8.1.4.1.a", one.id, "server_os")
    assert (mine.applies, mine.rule, mine.decision and mine.decision.by) == (False, "person", "planner")
    assert scope.on("8.1.4.1.a", room.id, "room").applies
    assert not scope.on("8.1.3.4.b", one.id, "security_device").applies, "what the system does not have no object has"
    assert len(entries) == 3


def test_what_a_person_cannot_decide(city: City) -> None:
    system, plain = make(city), make(city, "二级", "S2A2")
    for number, item, applies, reason, more in (
        (system.id, "8.5.1.1.a", False, "x", {}),
        (system.id, "9.9", False, "x", {}),
        (system.id, "8.1.4.1.a", True, "x", {}),
        (system.id, "8.1.4.1.a", False, "  ", {}),
        (plain.id, "8.1.4.1.a", False, "x", {}),
    ):
        with pytest.raises(Invalid):
            decide(city, number, item, applies, reason, **more)
    with pytest.raises(NotFound):
        decide(city, system.id, "8.1.4.1.a", False, "x", object_id=99)


def test_the_last_word_counts_and_can_be_withdrawn(city: City) -> None:
    system = make(city)
    first = decide(city, system.id, "8.1.3.4.b", False, expected_version=0)
    with pytest.raises(Stale):
        decide(city, system.id, "8.1.3.4.b", False, "又", expected_version=0)
    second = decide(city, system.id, "8.1.3.4.b", False, "仍无", expected_version=first.version)
    who, database = city.as_("planner")
    with pytest.raises(Stale), database.write() as session:
        applicability.withdraw(session, who, system.id, "8.1.3.4.b", "有了", expected_version=1)
    with database.write() as session:
        applicability.withdraw(session, who, system.id, "8.1.3.4.b", "有了", expected_version=second.version)
    with pytest.raises(NotFound), database.write() as session:
        applicability.withdraw(session, who, system.id, "8.1.3.4.b", "有了")
    with database.read() as session:
        assert applicability.scope_of(session, system).taken_away("8.1.3.4.b") is None
    assert WHOLE == 0
