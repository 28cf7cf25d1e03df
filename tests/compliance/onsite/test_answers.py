"""Questions for people, and answers that come late, twice, or after somebody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.assessment import reading
from compliance.onsite.asking import questions
from compliance.onsite.taking import MOST_AT_ONCE, Answer, Taken, take
from compliance.systems import applicability
from compliance.verdicts import Verdict
from kernel.event import timestamp
from operations.audit import service as audit
from operations.errors import Invalid, NotFound
from tests.compliance.assessment.small_system import ROOM_DOOR, SmallSystem

SITE = "8.1.1.1.a"
"""Only people can judge it; it is asked of rooms."""


def answer(small: SmallSystem, number: int = 1, **more: Any) -> Answer:
    said = Answer(
        f"key-of-answer-{number:04}", SITE, small.room, 0, "met", "看过验收报告", timestamp(datetime.now(UTC) - timedelta(hours=3))
    )
    return msgspec.structs.replace(said, **more)


def taken(small: SmallSystem, *answers: Answer, name: str = "planner") -> list[Taken]:
    who = small.who.actor if name == "planner" else small.city.as_(name)[0].actor
    return take(small.database, who, small.id, answers)


def history(small: SmallSystem, item: str = SITE) -> list[tuple[str, str]]:
    with small.database.read() as session:
        return [(one.verdict, one.at) for one in reading.history(session, small.id, item)]


def test_what_is_asked_is_what_machines_cannot_see(small: SmallSystem) -> None:
    with small.database.read() as session:
        _, found = questions(session, small.id)
        _, more = questions(session, small.id, assisted=True)
    assert len(found) == 71
    assert len(more) == 137
    by_item = {one.item: one for one in found}
    assert [one.object_id for one in by_item[SITE].verdicts] == [small.room]
    assert {one.asked.placed.item.evidence for one in found} == {"manual"}
    assert [one.object_id for one in by_item["8.1.9.1.a"].verdicts] == [0], "asked of the system as a whole"
    with small.database.write() as session:
        applicability.decide(session, small.who, small.id, SITE, False, "托管机房")
        applicability.decide(session, small.who, small.id, "8.1.1.1.b", False, "一层", object_id=small.room)
    with small.database.read() as session:
        by_item = {one.item: one for one in questions(session, small.id)[1]}
    assert SITE not in by_item
    assert [one.object_id for one in by_item["8.1.1.1.b"].verdicts] == [0], "no object is left"


def test_an_answer_is_a_verdict_of_the_moment_when_it_was_given(small: SmallSystem) -> None:
    said = answer(small)
    (done,) = taken(small, said)
    assert (done.state, done.version) == ("recorded", 1)
    assert history(small) == [("met", said.at)]
    with small.database.read() as session:
        found = reading.verdict_of(session, small.id, SITE, small.room)
    assert (found.source, found.by, found.reason, found.at) == ("person", "planner", "看过验收报告", said.at)


def test_an_answer_that_is_sent_again_counts_once(small: SmallSystem) -> None:
    said = answer(small)
    first, again = taken(small, said) + taken(small, said)
    assert (first.state, again.state, again.version) == ("recorded", "recorded", 1)
    taken(small, answer(small, 2, version=1, verdict="partly", reason="顶层"))
    (late,) = taken(small, said)
    assert late.state == "recorded", "it was, though another one counts now"
    assert [verdict for verdict, _ in history(small)] == ["partly", "met"]
    with small.database.read() as session:
        told = [one for one in audit.listing(session).entries if one.action == "verdict.record"]
    assert len(told) == 2


def test_who_was_quicker_is_told_and_nothing_is_overwritten(small: SmallSystem) -> None:
    small.person("not_met", SITE, small.room, reason="地下室")
    mine, other = answer(small), answer(small, 2, item=ROOM_DOOR)
    conflict, recorded = taken(small, mine, other)
    assert (conflict.state, conflict.version, recorded.state) == ("conflict", 1, "recorded")
    assert conflict.now is not None
    assert (conflict.now.verdict, conflict.now.reason, conflict.now.by) == ("not_met", "地下室", "planner")
    assert [verdict for verdict, _ in history(small)] == ["not_met"]
    (anew,) = taken(small, answer(small, 3, version=1))
    assert (anew.state, anew.version) == ("recorded", 2)


def test_what_is_refused_is_told_one_by_one(small: SmallSystem) -> None:
    tomorrow = timestamp(datetime.now(UTC) + timedelta(days=1))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"key": "short"}, "key"),
        ({"key": "with a blank in it....."}, "key"),
        ({"item": "8.9.9"}, "no item"),
        ({"object": 4711}, "no object"),
        ({"verdict": "perhaps"}, "verdict"),
        ({"reason": " "}, "reason is missing"),
        ({"at": tomorrow}, "future"),
        ({"at": "gestern"}, "no moment"),
        ({"object": small.host}, "does not apply"),
    ]
    answers = [answer(small, number, **more) for number, (more, _) in enumerate(wrong)]
    found = taken(small, *answers, answer(small, 100))
    for one, (_, why) in zip(found, wrong, strict=False):
        assert (one.state, why in one.why) == ("refused", True), one
    assert found[-1].state == "recorded"
    assert history(small)[0][0] == Verdict.MET
    with pytest.raises(Invalid, match="at once"):
        taken(small, *[answer(small, number) for number in range(MOST_AT_ONCE + 1)])
    with pytest.raises(NotFound):
        take(small.database, small.who.actor, 999, [answer(small)])


def test_a_key_belongs_to_one_answer(small: SmallSystem) -> None:
    taken(small, answer(small))
    (other,) = taken(small, answer(small, item=ROOM_DOOR))
    assert (other.state, "key" in other.why) == ("refused", True)
