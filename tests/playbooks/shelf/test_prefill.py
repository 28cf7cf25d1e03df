"""What a start is filled in with: from alerts, incidents, assets and warnings."""

from __future__ import annotations

import pytest

from kernel.db import Database
from operations.audit.schema import SYSTEM
from operations.errors import Invalid, NotFound
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from playbooks.library import load
from playbooks.shelf import service as shelf
from playbooks.shelf.schema import Field
from tests.playbooks.documents import document, playbook
from tests.playbooks.matters import alert


def facts(database: Database, kind: str, number: int | str) -> dict[str, str]:
    with database.read() as session:
        return shelf.facts_of(session, kind, str(number))


def test_an_alert_in_an_office(database: Database) -> None:
    number = alert(
        database, host__name="WEB1", user__name="root", source__ip="203.0.113.9", destination__ip="10.10.0.5",
        host__zone="office", source__zone="internet", dns__question__name="evil.example", tags=("cve.2021-44228",),
    )  # fmt: skip
    assert facts(database, "alert", number) == {
        "__alert_id__": str(number), "__matter__": "口令爆破", "__host__": "web1", "__address__": "203.0.113.9",
        "__account__": "root", "__domain__": "evil.example", "__cve__": "CVE-2021-44228",
        "__zone__": "office", "__bureau__": "大数据局", "__ot__": "false",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zones", "plant"),
    [
        ({"host__zone": "office"}, "false"),
        ({"host__zone": "office", "destination__zone": "water-ot"}, "true"),
        ({"host__zone": "office", "source__zone": "unknown"}, "true"),
        ({"source__zone": "internet"}, "true"),
        ({"host__zone": "gone-from-the-plan"}, "true"),
        ({}, "true"),
    ],
)
def test_what_may_be_a_plant_is_taken_for_one(database: Database, zones: dict[str, str], plant: str) -> None:
    assert facts(database, "alert", alert(database, host__name="h", **zones))["__ot__"] == plant


@pytest.mark.parametrize(
    ("source", "destination", "address"),
    [
        ("203.0.113.9", "10.10.0.5", "203.0.113.9"),
        ("10.10.0.5", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:10::5", "2a00::9", "2a00::9"),
        ("10.10.0.5", "10.60.0.7", "10.10.0.5"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ],
)
def test_the_address_is_the_one_outside(database: Database, source: str, destination: str, address: str) -> None:
    number = alert(database, source__ip=source, destination__ip=destination)
    assert facts(database, "alert", number)["__address__"] == address


def test_an_incident_tells_what_its_newest_alert_does(database: Database) -> None:
    number = alert(database, host__name="WEB1", host__zone="office", source__ip="203.0.113.9")
    with database.write() as session:
        incident = create_incident(session, SYSTEM, NewIncident("门户被攻击", alert_ids=(number,)))
    found = facts(database, "incident", incident.id)
    assert found["__incident_id__"] == str(incident.id)
    assert (found["__matter__"], found["__host__"], found["__ot__"]) == ("门户被攻击", "web1", "false")
    assert (found["__zone__"], found["__bureau__"], found["__alert_id__"]) == ("office", "大数据局", str(number))


def test_an_asset_of_a_plant(database: Database) -> None:
    assert facts(database, "asset", "wtr-plc-01") == {
        "__host__": "一号泵站 PLC", "__address__": "10.60.0.101", "__zone__": "water-ot", "__bureau__": "水务局", "__ot__": "true",
    }  # fmt: skip


def test_the_form_asks_for_external_variables_only(database: Database) -> None:
    number = alert(database, source__ip="203.0.113.9")
    ip = {"type": "ipv4-addr", "external": True}
    wanted = playbook(document(playbook_variables=document()["playbook_variables"] | {"__ip__": ip}))
    with database.read() as session:
        assert shelf.start_form(session, wanted) == [Field("__ip__", "ipv4-addr", None, needed=True)]
        library = shelf.start_form(session, next(one for one in load() if one.name == "口令爆破处置"), "alert", str(number))
    values = {one.name: one.value for one in library}
    assert (values["__address__"], values["__alert_id__"], values["__gateway__"]) == ("203.0.113.9", str(number), None)
    assert (values["__incident_id__"], values["__ot__"]) == ("0", "true")
    assert not any(one.needed for one in library), "people are asked for what an alert may lack"


@pytest.mark.parametrize(("kind", "number", "error"), [
    ("alert", "9", NotFound), ("incident", "9", NotFound), ("warning", "9", NotFound), ("asset", "none", NotFound),
    ("alert", "x", Invalid), ("alert", "9" * 30, Invalid), ("ticket", "1", Invalid),
])  # fmt: skip
def test_what_is_not_there(database: Database, kind: str, number: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        facts(database, kind, number)
