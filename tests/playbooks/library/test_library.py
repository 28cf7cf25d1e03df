"""Our own playbooks: right, in two languages, and every branch of each runs to its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import chain, islice

import msgspec
import pytest

from playbooks.actions.danger import changes_a_system, logs_in
from playbooks.check import check
from playbooks.check.needed import needed
from playbooks.extension import options_of
from playbooks.library import BUILDING_BLOCK, load
from playbooks.model import Action, End, IfCondition, Playbook, Start, WhileCondition
from playbooks.run.journal import library_of
from playbooks.translations import languages_of, playbook_words, step_words, words_of
from playbooks.variables import Value
from tests.playbooks.library.exploring import Run, explore, take_back, wander

PLAYBOOKS = load()
LIBRARY = library_of(PLAYBOOKS)
BY_ID = {one.id: one for one in PLAYBOOKS}
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
SAMPLES: dict[str, list[Value]] = {
    "__address__": ["2001:db8::9", "203.0.113.9", "10.9.8.7", "0.0.0.0/0"],
    "__account__": ["zhang.san", 'x" or userName sw "a'],
    "__gateway__": ["https://gw.example.org", "ssh://gw.example.org", None],
    "__endpoint__": ["https://edr.example.org", "ssh://db1.example.org:2222", None],
    "__directory__": ["https://idp.example.org/scim/v2", "ldaps://ldap.example.org", None],
    "__resolver__": ["ssh://[2001:db8::53]", None],
}
each = pytest.mark.parametrize("playbook", PLAYBOOKS, ids=[playbook_words(one, "en").name for one in PLAYBOOKS])


@each
def test_right_and_without_a_warning(playbook: Playbook) -> None:
    known = {one.id: [one] for one in PLAYBOOKS}
    assert [str(problem) for problem in check(playbook, known_playbooks=known, now=NOW)] == []


@each
def test_complete_in_both_languages(playbook: Playbook) -> None:
    languages = languages_of(playbook)
    assert languages is not None
    assert (languages.language, list(languages.translations)) == ("zh", ["en"])
    english = languages.translations["en"]
    assert playbook.name
    assert playbook.description
    assert all(_is_chinese(text) for text in (playbook.name, playbook.description))
    assert not any(_is_chinese(text) for text in (english.name, english.description, *english.names.values()))
    for step in playbook.workflow.values():
        if isinstance(step, Start | End):
            continue
        own, translated = words_of(playbook, step), step_words(playbook, step, "en")
        assert _is_chinese(own.name)
        assert translated.name
        assert not any(_is_chinese(text) for text in (translated.name, translated.description, *translated.commands))
        assert bool(own.description) == bool(translated.description)


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@each
def test_every_branch_runs_to_its_end(playbook: Playbook) -> None:
    left = _ways(playbook)
    runs = []
    to_the_ends = explore(playbook, LIBRARY, SAMPLES, last=True)
    for run in chain(explore(playbook, LIBRARY, SAMPLES), to_the_ends, islice(wander(playbook, LIBRARY, SAMPLES), 8_000)):
        runs.append(run)
        left -= _taken(run)
        if not left and len(runs) > 50:
            break
    assert left == set(), "ways that no run took"
    for run in runs:
        assert run.state in ("finished", "failed"), run.trace[-1]
        last = run.trace[-1]
        if run.state == "failed":  # a command failed that has no other way, or a value was not given: people have been told
            lacking = {name for name in needed(playbook, BY_ID) if run.given[name] is None}
            assert last.code == "ACTION_FAILED" or lacking, last
            assert any(entry.event == "exception" for entry in run.trace)


@each
def test_nothing_fails_for_what_nobody_knew(playbook: Playbook) -> None:
    """Started with what it cannot do without, and nothing else: questions reach people, and what needs a value is left out."""
    must = needed(playbook, BY_ID)
    assert must <= {"__address__", "__account__"}, "an alert may lack it"
    assert not must or BUILDING_BLOCK in playbook.labels, "those that alerts start ask people instead"
    nothing: list[Value] = [None]
    open_ones = [name for name, one in playbook.playbook_variables.items() if one.external and one.value is None]
    samples = {name: SAMPLES[name][:1] if name in must else nothing for name in open_ones}
    for run in chain(explore(playbook, LIBRARY, samples), explore(playbook, LIBRARY, samples, last=True)):
        assert [one for one in run.trace if one.code in ("VARIABLE_ERROR", "CONDITION_ERROR")] == []


def _ways(playbook: Playbook) -> set[tuple[str, str]]:
    """Steps, outcomes of conditions, cases, and failures with a way of their own; undo steps lie on no way."""
    undo = {options_of(step).undo for step in playbook.workflow.values()} - {""}
    aside = undo | {playbook.workflow[key].on_completion for key in undo}
    wanted = {(key, "") for key in playbook.workflow.keys() - aside}
    for key, step in playbook.workflow.items():
        if isinstance(step, IfCondition | WhileCondition):
            wanted |= {(key, "true"), (key, "false")}
        if step.on_failure and isinstance(step, Action):
            wanted.add((key, "failure"))
    return wanted


def _taken(run: Run) -> set[tuple[str, str]]:
    had = {(entry.step, "") for entry in run.trace if entry.event == "step"}
    had |= {(entry.step, entry.value) for entry in run.trace if entry.event == "condition"}
    return had | {(entry.step, entry.outcome) for entry in run.trace if entry.event == "left"}


@each
def test_no_machine_acts_in_an_ot_zone(playbook: Playbook) -> None:
    """Whatever people answer: in an OT zone, and where nobody said that it is none, only people touch systems."""
    samples = SAMPLES | {"__ot__": ["true"]}
    for run in chain(explore(playbook, LIBRARY, samples), islice(wander(playbook, LIBRARY, samples), 15)):
        machines = [request for request in run.requests if request.command.type != "manual"]
        assert not [one.step_name for one in machines if changes_a_system(one) or logs_in(one)]


@each
def test_what_touches_systems_has_been_approved(playbook: Playbook) -> None:
    for run in chain(explore(playbook, LIBRARY, SAMPLES), islice(wander(playbook, LIBRARY, SAMPLES), 15)):
        names = [request.step_name for request in run.requests]
        for place, request in enumerate(run.requests):
            if request.command.type != "manual" and changes_a_system(request):
                assert any(name.startswith("批准") for name in names[:place]), names
                told = request.command.body() + msgspec.json.encode(request.command.more)
                assert b"/0" not in told, "a network is nothing for a machine"


@each
def test_what_was_done_can_be_taken_back(playbook: Playbook) -> None:
    """As often as it was done, by commands that are whole again. Only a step that failed may lack what its undo step names."""
    for run in islice(explore(playbook, LIBRARY, SAMPLES | {"__ot__": ["false"]}), 20):
        done = sum(1 for request in run.requests if request.options.undo)
        failed = {entry.step for entry in run.trace if entry.event == "left" and entry.outcome == "failure"}
        sent = take_back(run)
        assert run.machine is not None
        left = [entry for entry in run.machine.taken_trace() if entry.event == "left" and entry.outcome == "failure"]
        assert run.state == ("failed" if left else "undone")
        assert all(entry.code == "VARIABLE_ERROR" and entry.branch.rpartition("/")[2] in failed for entry in left), left
        assert len(sent) <= done
        for request in (*run.requests, *sent):
            if request.command.type == "openc2-http":
                assert json.loads(request.command.body())["action"] in ("deny", "delete", "contain", "allow")


def test_an_address_is_blocked_and_let_through_again() -> None:
    (playbook,) = (one for one in PLAYBOOKS if playbook_words(one, "en").name == "Block an address")
    run = next(explore(playbook, LIBRARY, SAMPLES | {"__ot__": ["false"]}))
    (deny,) = (request for request in run.requests if request.command.type == "openc2-http")
    assert json.loads(deny.command.body())["target"] == {"ipv6_net": "2001:db8::9"}
    (delete,) = take_back(run)
    assert json.loads(delete.command.body()) == {"action": "delete", "target": {"slpf:rule_number": 1}}


def test_at_least_twenty_beside_the_building_blocks() -> None:
    own = [one for one in PLAYBOOKS if BUILDING_BLOCK not in one.labels]
    assert len(own) >= 20
    assert len({one.id for one in PLAYBOOKS}) == len(PLAYBOOKS)


@each
def test_says_how_long_people_would_take(playbook: Playbook) -> None:
    """One label that the statistics read (soc_ui.playbooks.statistics): an estimate in steps of five minutes."""
    (label,) = (one for one in playbook.labels if one.startswith("by-hand:"))
    assert label in {f"by-hand:{minutes}m" for minutes in range(5, 35, 5)}


def test_callers_outside_ot_zones_are_asked_first() -> None:
    """Who does not say what zone it is gets the careful way."""
    for playbook in PLAYBOOKS:
        found = playbook.playbook_variables.get("__ot__")
        assert found is None or (found.external and found.value == "true")
