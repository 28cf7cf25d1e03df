"""Every shipped playbook, carried out by the playbooks role on the systems of a city (estate.py), with people who answer.

Each case takes the way on which the playbook acts. Before people agree nothing has happened, afterwards it has: packets stop, a
name is diverted, an account is out, evidence is sealed; taken back, all is as it was. Building blocks run through their callers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from operations import clock
from operations.alerts.reading import get_alert
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.incidents import evidence
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from operations.indicators.listing import get_indicator
from operations.tickets.service import get_ticket
from operations.warnings.reading import get as get_warning
from playbooks.actions.danger import DESTRUCTIVE
from playbooks.library import BUILDING_BLOCK, load
from playbooks.model import Playbook, PlaybookAction
from playbooks.run import steering
from playbooks.run.questions import Question
from playbooks.shelf import service as shelf
from playbooks.translations import playbook_words
from playbooks.variables import Value
from tests.playbooks.matters import alert
from tests.system.estate import ATTACKER, BUREAU, DNS, GATEWAY, NEEDS, PARTS, PLANT, SINKHOLE, Estate, estate
from tests.system.estate_cases import (
    ALWAYS,
    BLOCK,
    CASES,
    DISABLE,
    DIVERT,
    EVERYBODY,
    HOST,
    INDICATOR,
    ISOLATE,
    SEALED,
    TICKET,
    WARNING,
    Case,
)
from tests.system.estate_people import STARTER, People

pytestmark = [pytest.mark.skipif(not PARTS, reason=NEEDS), pytest.mark.slow]
BY_NAME = {playbook_words(one, "en").name: one for one in load()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("estate")) as built:
        yield built


@pytest.fixture
def city(made: Estate) -> Iterator[Estate]:
    yield made
    made.put_right()


def test_every_shipped_playbook_has_its_case() -> None:
    """Building blocks have theirs through others."""
    assert CASES.keys() == {name for name, one in BY_NAME.items() if BUILDING_BLOCK not in one.labels}
    called = {step.playbook_id for name in CASES for step in BY_NAME[name].workflow.values() if isinstance(step, PlaybookAction)}
    assert {one.id for one in BY_NAME.values() if BUILDING_BLOCK in one.labels} <= called


@pytest.mark.parametrize("name", CASES)
def test_it_acts_where_people_agree_and_is_taken_back(city: Estate, name: str) -> None:
    case, playbook = CASES[name], BY_NAME[name]
    matter = _matter(city, case)
    run = _start(city, playbook, case, matter)
    looked: list[Question] = []

    def look(asked: Question) -> None:
        assert not _is_done(city, asked), f"{name}: {asked.line}: it is so before everybody agreed"
        looked.append(asked)

    people = People(city, run, EVERYBODY | case.form, look)
    people.sit("finished")
    assert people.failures() == [], people.story(name)
    acts = _acts(city, run)
    closes = any(isinstance(step, PlaybookAction) for step in playbook.workflow.values())
    assert acts.keys() == case.acts | ALWAYS | ({"liandun-alert-status"} if closes else set()), people.story(name)
    assert {_kind(asked) for asked in looked} == case.acts & DESTRUCTIVE, f"{name}: a machine acted, and nobody was asked"
    for asked in looked:
        assert _is_done(city, asked), f"{name}: {asked.line}: people agreed, and it is not so"
        assert _ends_by_itself(city, asked), f"{name}: {asked.line}: it would last for ever"
    _left_behind(city, name, acts, matter, people.said)
    unsaid = [asked.title for asked, _ in people.said if not asked.words.keys() >= {"zh", "en"}]
    assert unsaid == [], f"{name}: asked in one language only"
    if case.plant:
        assert any(asked.barred for asked, _ in people.said), f"{name}: nobody was asked who had not agreed yet"
        assert city.reaches("attacker", "plant"), f"{name}: a machine acted in a plant"
    _take_back(city, name, run, looked)
    with city.database.read() as session:
        assert get_alert(session, matter.alert).status == "new"
        for given in acts.get(INDICATOR, []):
            assert get_indicator(session, int(given["indicator_id"])).revoked_at
        for given in acts.get(WARNING, []):
            assert get_warning(session, int(given["warning_id"])).status != "draft"


@pytest.mark.parametrize("name", ["Malware on an endpoint", "Account takeover", "DNS tunnelling", "Cross-zone violation"])
def test_it_runs_to_its_end_for_an_alert_that_names_nothing(city: Estate, name: str) -> None:
    """No host, no address, no account, and people who do not find them out either: every question reaches them, and nothing that
    needs a value is tried without it."""
    case, playbook = CASES[name], BY_NAME[name]
    number = alert(city.database, rule=f"estate-{clock.now()}")
    with city.database.write() as session:
        known = shelf.facts_of(session, "alert", str(number))
        assert not known.keys() & {"__host__", "__address__", "__account__", "__domain__"}
        values = {one.name: one.value for one in shelf.start_form(session, playbook, "alert", str(number))}
        run = shelf.start(session, STARTER, playbook.id, values, {"kind": "alert", "id": number})
    people = People(city, run, EVERYBODY | case.form, lambda asked: None)
    people.sit("finished")
    assert people.failures() == [], people.story(name)
    assert not _acts(city, run).keys() & {BLOCK, DISABLE, DIVERT, ISOLATE}
    assert any("（未知）" in asked.line for asked, _ in people.said), people.story(name)


def test_two_people_agree_to_a_block_in_a_plant_whatever_its_starter_says(city: Estate) -> None:
    """The building block alone, told that it is no plant: the zone plan knows better."""
    values: dict[str, Value] = {"__ot__": "false", "__address__": PLANT, "__gateway__": f"ssh://{GATEWAY}", "__matter__": "演练"}
    with city.database.write() as session:
        run = shelf.start(session, STARTER, BY_NAME["Block an address"].id, values, {})
    looked: list[Question] = []

    def look(asked: Question) -> None:
        assert not _is_done(city, asked), "it is so before two have agreed"
        looked.append(asked)

    people = People(city, run, EVERYBODY, look)
    people.sit("finished")
    assert [len(asked.answers) for asked in looked] == [0, 1]
    assert {who for asked, who in people.said if asked.kind == "approval"} == {"chen-duty", "qian-leader"}
    assert _is_done(city, looked[0])
    _take_back(city, "Block an address", run, looked)


class Matter(msgspec.Struct, frozen=True):
    """An alert, the incident that it belongs to, and the address that was attacked."""

    alert: int
    incident: int
    target: str


def _matter(city: Estate, case: Case) -> Matter:
    """Something happens: packets from the source to the target, an alert of them, an incident."""
    told = {
        "source__ip": ATTACKER, "source__zone": "internet", "destination__ip": BUREAU, "destination__zone": "egov-extranet",
        "host__name": "FIN-WS-01", "host__zone": "egov-extranet", "user__name": "zhang", **case.about,
    }  # fmt: skip
    city.attack(city.side_of(told["source__ip"]), city.side_of(told["destination__ip"]))
    told["@timestamp"] = clock.now()
    number = alert(city.database, rule=f"estate-{clock.now()}", **told)  # type: ignore[arg-type]
    with city.database.write() as session:
        made = create_incident(session, SYSTEM, NewIncident(title="处置演练", origin="alert", alert_ids=(number,)))
    return Matter(number, made.id, told["destination__ip"])


def _start(city: Estate, playbook: Playbook, case: Case, matter: Matter) -> int:
    """As a person starts it from the page of the incident: what is known is filled in, where the systems are is added."""
    systems: dict[str, Value] = {
        "__gateway__": f"ssh://{GATEWAY}", "__endpoint__": f"ssh://{BUREAU}", "__directory__": "ldaps://ldap.city.example",
        "__resolver__": f"ssh://{DNS}",
    }  # fmt: skip
    with city.database.write() as session:
        form = shelf.start_form(session, playbook, "incident", str(matter.incident))
        asked: dict[str, Value] = {one.name: one.value for one in form}
        values = {name: (systems | case.values).get(name, value) for name, value in asked.items()}
        assert None not in values.values(), f"nobody fills in {values}"
        return shelf.start(session, STARTER, playbook.id, values, {"kind": "incident", "id": matter.incident})


def _kind(asked: Question) -> str:
    return str(asked.request["command"]["type"])


def _is_done(city: Estate, asked: Question) -> bool:
    """Whether what a machine is to do is so already."""
    told = asked.request["command"]["more"]["parameters"]
    match _kind(asked):
        case kind if kind == BLOCK:
            side = city.side_of(told["address"])
            return not city.reaches(side, "bureau" if side == "data" else "data")
        case kind if kind == ISOLATE:
            return not city.reaches("data", "bureau")
        case kind if kind == DIVERT:
            return city.resolves(f"c2.{told['domain']}") == [SINKHOLE]
        case kind if kind == DISABLE:
            return not city.logs_in(told["account"])
    raise AssertionError(f"nobody can see whether {asked.line} is so")


def _ends_by_itself(city: Estate, asked: Question) -> bool:
    """Whether the kernel that drops packets stops doing so after a day; names and accounts last until people end it."""
    sides = {BLOCK: "gateway", ISOLATE: "bureau"}
    kind = _kind(asked)
    return kind not in sides or "timeout 1d" in city.there.run(sides[kind], "nft", "list", "ruleset")


def _take_back(city: Estate, name: str, run: int, done: list[Question]) -> None:
    with city.database.write() as session:
        steering.undo(session, STARTER, run)
    people = People(city, run, {}, lambda asked: None)
    people.sit("undone")
    assert people.failures() == [], people.story(name)
    for asked in done:
        assert not _is_done(city, asked), f"{name}: {asked.line}: taken back, and it is still so"


def _acts(city: Estate, run: int) -> dict[str, list[dict[str, Any]]]:
    """What the audit trail says that the run did: kind of command → what each gave."""
    query = select(AuditEntry.detail).where(AuditEntry.actor == f"playbook:{run}", AuditEntry.action == "playbook.act")
    found: dict[str, list[dict[str, Any]]] = {}
    with city.database.read() as session:
        for text in session.execute(query.order_by(AuditEntry.id)).scalars():
            detail = json.loads(text)
            found.setdefault(detail["command"], []).append(detail.get("gave", {}))
    return found


def _left_behind(
    city: Estate, name: str, acts: Mapping[str, list[dict[str, Any]]], matter: Matter, said: list[tuple[Question, str]]
) -> None:
    """Tickets, indicators, drafts, sealed evidence are there, and people were told."""
    with city.database.read() as session:
        for given in acts.get(TICKET, []):
            ticket = get_ticket(session, int(given["ticket_id"]))
            assert (ticket.state, bool(ticket.due_at), bool(ticket.bureau)) == ("to_read", True, True), f"{name}: {ticket}"
        for given in acts.get(INDICATOR, []):
            assert not get_indicator(session, int(given["indicator_id"])).revoked_at
        for given in acts.get(WARNING, []):
            assert get_warning(session, int(given["warning_id"])).status == "draft"
        for kind in SEALED:
            for given in acts.get(kind, []):
                piece = evidence.verify(session, matter.incident, int(given["evidence_id"]))
                assert (piece.problem, piece.sm3) == ("", given["evidence_sm3"]), f"{name}: {kind}"
                assert piece.name.endswith(".tar" if kind == HOST else ".pcap")
                assert matter.target in piece.links[0]["source"], f"{name}: {kind} is of {piece.links[0]['source']}"
    city.deliver()
    told = [json.loads(body) for _, _, body in city.receiver.requests]
    about = [one for one in told if one["data"].get("incident_id") == matter.incident]
    assert about, f"{name}: the chat was told nothing about the incident"
    asked = {one["data"]["question_id"] for one in told if one["type"] == "playbook.question"}
    assert asked >= {question.id for question, _ in said}, f"{name}: the chat was not told of every question"
