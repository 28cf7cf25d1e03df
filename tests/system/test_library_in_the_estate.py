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
from tests.system.estate import ATTACKER, BUREAU, DATA_HOST, DNS, GATEWAY, NEEDS, PARTS, PLANT, SINKHOLE, Estate, estate
from tests.system.estate_people import STARTER, Form, People

pytestmark = [pytest.mark.skipif(not PARTS, reason=NEEDS), pytest.mark.slow]
SHA256 = "ab" * 32
EVERYBODY: Form = {
    "__approved__": "true", "__plant_agrees__": "true", "__containment__": "done", "__evidence__": "档-7",
    "__verdict__": "true_positive", "__lessons__": "收敛暴露面",
}  # fmt: skip
BLOCK, ISOLATE, DIVERT = "liandun-nft-block", "liandun-host-isolate", "liandun-sinkhole-add"
DISABLE, HOST, PACKETS = "liandun-account-disable", "liandun-evidence-host", "liandun-evidence-packets"
TICKET, INDICATOR, WARNING = "liandun-ticket", "liandun-indicator-add", "liandun-warning-draft"
SEALED = {HOST, PACKETS}
ALWAYS = {"liandun-incident-note", "liandun-notify"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How a playbook is run.

    form    what people fill in                      about  fields of the alert other than those of the attack on the office
    values  what its starter knows beside that       acts   what the platform does on the way, beside what it always does
    plant   whether it happens in a zone with control systems
    """

    form: Form = {}
    about: Mapping[str, str] = {}
    values: Mapping[str, Value] = {}
    acts: set[str] = set()
    plant: bool = False


CASES: dict[str, Case] = {
    "Account takeover": Case(
        form={"__by_person__": "false", "__abuse__": "privileged"}, acts={DISABLE, BLOCK, INDICATOR, TICKET},
    ),
    "Audit log failure": Case(
        form={"__log_cause__": "cleared", "__hours_lost__": "3", "__back__": ["false", "true"]}, acts={ISOLATE, TICKET, *SEALED},
    ),
    "Brute force": Case(
        form={"__failures__": "500", "__succeeded__": "true", "__registered__": "false"},
        acts={BLOCK, DISABLE, INDICATOR, TICKET, *SEALED},
    ),
    "Camera or IoT device taken over": Case(
        form={"__critical_point__": "true", "__weak_password__": "true"},
        about={"host__name": "tra-cam-01", "host__zone": "traffic-iot"}, acts={INDICATOR, TICKET, WARNING}, plant=True,
    ),
    "Certificate abuse": Case(
        form={"__cert_use__": "client", "__ours__": "true", "__key_lost__": "true", "__revoke_agreed__": "true"},
        values={"__serial__": "5a:01"}, acts={TICKET, WARNING},
    ),
    "Cross-zone violation": Case(
        form={"__violation__": "attack", "__holds__": "true"},
        about={"source__ip": DATA_HOST, "source__zone": "data-platform"}, acts={BLOCK, TICKET, *SEALED},
    ),
    "Leak from the data platform": Case(
        form={"__records__": "250000", "__personal__": "true", "__authorised__": "false"},
        about={"host__name": "pop-db-01", "host__zone": "data-platform", "destination__ip": DATA_HOST},
        values={"__endpoint__": f"ssh://{DATA_HOST}"}, acts={DISABLE, BLOCK, INDICATOR, TICKET, *SEALED},
    ),
    "DDoS at the edge": Case(
        form={"__ddos_kind__": "application", "__load__": "90", "__ongoing__": ["true", "false"]}, acts={BLOCK, TICKET},
    ),
    "DNS tunnelling": Case(
        form={"__tunnel__": "true", "__megabytes__": "50", "__sink_agreed__": "true"}, values={"__domain__": "evil.example"},
        acts={DIVERT, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
    "Drill": Case(
        form={"__ready__": "true", "__injects_left__": ["2", "1", "0"], "__stop__": "false", "__score__": "70"},
        values={"__scenario__": "勒索软件"}, acts={TICKET},
    ),
    "Malware on an endpoint": Case(
        form={"__sha256__": SHA256, "__removed__": "false", "__spread__": "true"},
        acts={ISOLATE, BLOCK, INDICATOR, WARNING, TICKET, *SEALED},
    ),
    "Illegal outbound connection": Case(
        form={"__outbound_way__": "wireless", "__data_out__": "true"}, acts={ISOLATE, TICKET, *SEALED},
    ),
    "Export by an insider": Case(
        form={"__approved_export__": "false", "__channel__": "usb", "__records__": "20000"}, acts={DISABLE, TICKET, *SEALED},
    ),
    "Exploited vulnerability": Case(
        form={
            "__affected__": "5", "__remote__": "true", "__patch__": "available", "__shield_agreed__": "true",
            "__exploited__": "true",
        },
        values={"__cve__": "CVE-2026-12345"}, acts={TICKET, WARNING},
    ),
    "Cryptocurrency mining": Case(
        form={"__origin__": "intrusion", "__still__": ["true", "false"]}, acts={BLOCK, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
    "OT command anomaly": Case(
        form={"__planned__": "false", "__danger__": "true"},
        about={"host__name": "WTR-HMI-01", "host__zone": "water-ot", "destination__ip": PLANT}, acts={TICKET, WARNING, PACKETS},
        plant=True,
    ),
    "Phishing mail": Case(
        form={"__domain__": "evil.example", "__mail_kind__": "credential", "__clicked__": "true"},
        acts={DISABLE, INDICATOR, TICKET, WARNING},
    ),
    "Ransomware": Case(
        form={"__spreading__": "true", "__family__": "lockbit", "__backup_good__": "true", "__segment_agreed__": "true"},
        acts={ISOLATE, TICKET, WARNING, *SEALED},
    ),
    "Poisoned update": Case(
        form={"__poisoned__": "true", "__installed__": "12", "__sha256__": SHA256, "__rollback_agreed__": "true"},
        values={"__product__": "OA 客户端"}, acts={INDICATOR, TICKET, WARNING},
    ),
    "Unknown device": Case(form={"__device_kind__": "unknown"}, acts={ISOLATE, TICKET}),
    "Web shell": Case(
        form={"__sha256__": SHA256, "__executed__": "true", "__passed__": "true"},
        acts={BLOCK, ISOLATE, INDICATOR, TICKET, *SEALED},
    ),
}  # fmt: skip
BY_NAME = {playbook_words(one, "en").name: one for one in load()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("estate")) as built:
        yield built


@pytest.fixture
def city(made: Estate) -> Iterator[Estate]:
    """A case that fails in the middle leaves nothing to the next."""
    yield made
    made.open_all_ways()


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
    assert {_kind(asked) for asked in looked} == case.acts & DESTRUCTIVE
    for asked in looked:
        assert _is_done(city, asked), f"{name}: {asked.line}: people agreed, and it is not so"
    _left_behind(city, name, acts, matter)
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
    """An alert and the incident that it belongs to."""

    alert: int
    incident: int


def _matter(city: Estate, case: Case) -> Matter:
    """Something happens: packets from the source to the target, an alert of them, an incident."""
    told = {
        "source__ip": ATTACKER, "source__zone": "internet", "destination__ip": BUREAU, "destination__zone": "egov-extranet",
        "host__name": "FIN-WS-01", "host__zone": "egov-extranet", "user__name": "zhang", **case.about,
    }  # fmt: skip
    source, target = city.side_of(told["source__ip"]), city.side_of(told["destination__ip"])
    assert city.reaches(source, target), "what was done before is still so"
    number = alert(city.database, rule=f"estate-{clock.now()}", **{"@timestamp": clock.now()}, **told)
    with city.database.write() as session:
        made = create_incident(session, SYSTEM, NewIncident(title="处置演练", origin="alert", alert_ids=(number,)))
    return Matter(number, made.id)


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
        case "liandun-nft-block":
            side = city.side_of(told["address"])
            return not city.reaches(side, "bureau" if side == "data" else "data")
        case "liandun-host-isolate":
            return not city.reaches("data", "bureau")
        case "liandun-sinkhole-add":
            return city.resolves(f"c2.{told['domain']}") == [SINKHOLE]
        case "liandun-account-disable":
            return not city.logs_in(told["account"])
    raise AssertionError(f"nobody can see whether {asked.line} is so")


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


def _left_behind(city: Estate, name: str, acts: Mapping[str, list[dict[str, Any]]], matter: Matter) -> None:
    """Tickets, indicators, drafts, sealed evidence are there, and people were told."""
    with city.database.read() as session:
        for given in acts.get(TICKET, []):
            assert get_ticket(session, int(given["ticket_id"])).state != "done"
        for given in acts.get(INDICATOR, []):
            assert not get_indicator(session, int(given["indicator_id"])).revoked_at
        for given in acts.get(WARNING, []):
            assert get_warning(session, int(given["warning_id"])).status == "draft"
        for kind in SEALED:
            for given in acts.get(kind, []):
                piece = evidence.verify(session, matter.incident, int(given["evidence_id"]))
                assert (piece.problem, piece.sm3) == ("", given["evidence_sm3"]), f"{name}: {kind}"
                assert piece.name.endswith(".tar" if kind == HOST else ".pcap")
    city.deliver()
    told = [json.loads(body) for _, _, body in city.receiver.requests]
    about = [one for one in told if one["data"].get("incident_id") == matter.incident]
    assert about, f"{name}: the chat was told nothing about the incident"
