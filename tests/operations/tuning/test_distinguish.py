"""What distinguishes false positives from the other alerts of a rule."""

from __future__ import annotations

from kernel.rule_tuning.condition import Condition
from operations.tuning.distinguish import distinguish
from operations.tuning.schema import Traits
from tests.operations.tuning.conftest import Desk


def found(desk: Desk) -> tuple[Traits, dict[Condition, tuple[int, int, int]]]:
    with desk.database.read() as session:
        traits = distinguish(session, "rule-1")
    return traits, {one.condition: (one.noise, one.true_positives, one.undecided) for one in traits.traits}


def test_what_many_false_positives_have_and_no_other_alert_has_is_proposed(desk: Desk) -> None:
    for number in range(6):
        desk.alert(
            verdict="false_positive" if number % 2 else "benign",
            host=f"ws-{number}",
            user__name="svc_backup",
            source__ip=f"10.9.8.{number}",
            process__executable=rf"C:\Program Files\Backup\agent{number}.exe",
            process__parent__name="services.exe",
        )
    for number in range(20):
        verdict = "true_positive" if number < 5 else ""
        desk.alert(verdict=verdict, host=f"pc-{number}", user__name=f"user{number}", process__parent__name="services.exe")
    traits, told = found(desk)
    assert (traits.noise, traits.true_positives, traits.undecided, traits.complete) == (6, 5, 15, True)
    assert told[Condition("user.name", "equals", "svc_backup")] == (6, 0, 0)
    assert told[Condition("source.ip", "cidr", "10.9.8.0/24")] == (6, 0, 0)
    assert told[Condition("process.executable", "wildcard", r"C:\Program Files\Backup\*")] == (6, 0, 0)
    fields = {condition.field for condition in told}
    assert "process.parent.name" not in fields, "the others have it as well"
    assert "host.name" not in fields, "each has another one"
    assert "event.dataset" not in fields


def test_a_value_of_a_few_others_comes_with_their_number_and_after_those_without(desk: Desk) -> None:
    for _ in range(5):
        desk.alert(verdict="false_positive", user__name="scan", rule__name="a")
    for number in range(39):
        desk.alert(user__name=f"user{number}")
    desk.alert(verdict="true_positive", user__name="scan")
    traits, told = found(desk)
    assert told[Condition("user.name", "equals", "scan")] == (5, 1, 0)
    assert traits.traits[0].condition == Condition("rule.name", "equals", "a")
    assert traits.traits[-1].true_positives == 1


def test_without_false_positives_there_is_nothing_to_tell(desk: Desk) -> None:
    desk.alert(verdict="true_positive")
    traits, told = found(desk)
    assert told == {}
    assert traits.true_positives == 1
