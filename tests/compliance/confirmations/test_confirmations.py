"""Fields that nobody has compared: confirmed, set right, withdrawn; in use at once, refused where they do not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from compliance.assessment.places import places
from compliance.catalogue import load
from compliance.catalogue.confirmed import Confirmed, patched
from compliance.catalogue.model import CryptoUnit
from compliance.confirmations import in_force, service
from compliance.confirmations.service import DoubtFilter
from compliance.systems import service as systems
from compliance.systems.applicability import scope_of
from compliance.systems.schema import SystemDraft
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.errors import Denied, Invalid, NotFound, Stale

SEC = Principal(1, "sec", "", "secadmin")
READER = Principal(2, "audit", "", "auditor")
READ = "GB/T 39786-2021, printed, 8.1, page 6"


@pytest.fixture(autouse=True)
def as_it_ships() -> Iterator[None]:
    yield
    load.use(())


def test_all_that_ships_in_doubt_is_listed(database: Database) -> None:
    with database.read() as session:
        found = service.doubts(session)
        crypto = service.doubts(session, DoubtFilter(kind="unit", text="modal"))
    shipped = [placed.item.to_be_confirmed for placed in load.requirements().placed()]
    shipped += [unit.to_be_confirmed for _, unit in load.crypto_requirements().units()]
    shipped += [case.to_be_confirmed for year in (2020, 2025) for case in load.high_risk_guide(year).cases]
    assert len(found) == sum(map(len, shipped)) == 335
    assert len(crypto) == 41
    assert {(one.version, one.value == one.shipped) for one in found} == {(0, True)}


def test_confirmed_it_is_in_use_and_withdrawn_it_is_not(database: Database) -> None:
    before = load.crypto_requirements().digest
    assert "modal" in _unit("6.1.2").to_be_confirmed
    with database.write() as session:
        one = service.confirm(session, SEC, "6.1.2", "modal", READ, value='"may"')
    assert (one.value, one.version, one.source) == ('"may"', 1, READ)
    assert _unit("6.1.2").modal == "may"
    assert "modal" not in _unit("6.1.2").to_be_confirmed
    assert places()["6.1.2"].unit == _unit("6.1.2")
    assert load.crypto_requirements().digest != before
    with database.read() as session:
        assert [one.record for one in service.doubts(session, DoubtFilter(state="confirmed"))] == ["6.1.2"]
        trail = session.execute(select(AuditEntry.action, AuditEntry.detail)).all()
    assert [(action, json.loads(detail)["source"]) for action, detail in trail] == [("catalogue.confirm", READ)]
    with database.write() as session:
        service.withdraw(session, SEC, "6.1.2", "modal", expected_version=1)
    assert load.crypto_requirements().digest == before


def test_another_process_sees_it_with_the_next_system(database: Database) -> None:
    with database.write() as session:
        number = systems.create_system(session, SEC, SystemDraft(name="门户", level="S3A3")).id
        service.confirm(session, SEC, _doubtful_item(), "objects", READ, value='["server_os"]')
    load.use(())
    with database.read() as session:
        scope = scope_of(session, systems.get_system(session, number))
    assert load.requirements().digest != load.as_shipped()[0].digest
    assert scope.items[_doubtful_item()].placed.item.objects == ("server_os",)


def test_a_value_that_ships_is_kept_as_that(database: Database) -> None:
    with database.write() as session:
        shipped = service.doubts(session, DoubtFilter(text="6.1.1 modal"))[0].shipped
        assert service.confirm(session, SEC, "6.1.1", "modal", READ, value=f" {shipped} ").value == shipped
        assert in_force.confirmed(session)[0].value == ""


def test_a_case_is_named_with_its_year(database: Database) -> None:
    case = next(one for one in load.high_risk_guide(2020).cases if "zh" in one.to_be_confirmed)
    with database.write() as session:
        service.confirm(session, SEC, f"2020/{case.id}", "zh", "T/ISEAA 001-2020", value='"改正"')
    found = next(one for one in load.high_risk_guide(2020).cases if one.id == case.id)
    assert (found.zh, "zh" in found.to_be_confirmed) == ("改正", False)


@pytest.mark.parametrize(
    ("record", "field", "source", "value", "wrong"),
    [
        ("6.1.2", "modal", "", "", Invalid),
        ("6.1.2", "modal", "x" * 1_001, "", Invalid),
        ("6.1.2", "weight", READ, "2", Invalid),
        ("6.1.2", "modal", READ, '"must"', Invalid),
        ("6.1.2", "modal", READ, "may", Invalid),
        ("6.1.2", "modal", READ, '"\\ud800"', Invalid),
        ("6.1.2", "modal", READ, "[" * 5_000, Invalid),
        ("9.9.9", "modal", READ, "", NotFound),
        ("6.1.2' OR 1=1 --", "modal", READ, "", NotFound),
    ],
)
def test_what_does_not_fit_is_refused(
    database: Database, record: str, field: str, source: str, value: str, wrong: type[Exception]
) -> None:
    with database.write() as session, pytest.raises(wrong):
        service.confirm(session, SEC, record, field, source, value=value)
    assert load.crypto_requirements().digest == load.as_shipped()[1].digest


def test_who_may_and_who_was_quicker(database: Database) -> None:
    with database.write() as session, pytest.raises(Denied):
        service.confirm(session, READER, "6.1.2", "modal", READ)
    with database.write() as session:
        service.confirm(session, SEC, "6.1.2", "modal", READ, expected_version=0)
    with database.write() as session, pytest.raises(Stale):
        service.confirm(session, SEC, "6.1.2", "modal", READ, expected_version=0)
    with database.write() as session, pytest.raises(NotFound):
        service.withdraw(session, SEC, "6.1.1", "modal")


def test_what_an_earlier_version_confirmed_and_no_longer_fits_is_in_doubt_again() -> None:
    load.use((Confirmed("6.1.2", "modal", '"must"', READ, "sec", ""), Confirmed("6.1.2", "gone", "1", READ, "sec", "")))
    assert _unit("6.1.2").modal == load.as_shipped()[1].layers[0].units[1].modal
    assert "modal" in _unit("6.1.2").to_be_confirmed


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_a_record_stays_one_whatever_is_confirmed(value: object) -> None:
    unit = load.as_shipped()[1].layers[0].units[1]
    try:
        found = patched(unit, [Confirmed("6.1.2", "modal", msgspec.json.encode(value).decode(), "", "", "")])
    except msgspec.ValidationError:
        return
    assert msgspec.structs.replace(found, modal=unit.modal, to_be_confirmed=unit.to_be_confirmed) == unit
    assert found.modal in ("shall", "should", "may")


def _unit(number: str) -> CryptoUnit:
    return next(unit for _, unit in load.crypto_requirements().units() if unit.id == number)


def _doubtful_item() -> str:
    held = [one.item for one in load.as_shipped()[0].placed() if not one.extension]
    return next(item.id for item in held if "objects" in item.to_be_confirmed)
