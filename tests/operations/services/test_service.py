"""Applications for services, up to the verdict of the workers' zone table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crypto.certificates import make_request, name, read_certificates
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.db import Database
from kernel.zones.enrich import enrich
from kernel.zones.snapshot import ZoneSource, write_snapshot
from operations import clock
from operations.accounts.schema import Principal
from operations.audit.schema import Actor
from operations.certificates import service as certificates
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.services import service
from operations.services.schema import ApplicationFilter, ApplicationRow
from operations.services.service import ListenPoint, Means
from operations.services.terms import set_terms, terms_of
from operations.tickets import service as tickets
from operations.zones import service as zones
from tests.operations.organisations_city import WATER, City
from tests.operations.statements import statements

PERMIT = {"source": "water-office", "target": "traffic-office", "services": ["https"], "days": 10, "reason": "数据共享"}

BROKEN = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


def apply(city: City, kind: str = "cross-zone-permit", by: str = "water", **more: Any) -> ApplicationRow:
    who, database = city.as_(by)
    form = (PERMIT if kind == "cross-zone-permit" else {}) | more
    with database.write() as session:
        return service.apply(session, who, kind, form)


def do(city: City, by: str | Principal, one: ApplicationRow, act: str, note: str = "", **more: Any) -> ApplicationRow:
    who, database = city.as_(by) if isinstance(by, str) else (by, city.database)
    with database.write() as session:
        return service.act(session, who, one.id, act, note, **more)


def verdict(city: City, folder: Path, moment: str, port: int = 443) -> Any:
    """What a worker says of a flow from the water office to the traffic office, from the published snapshot."""
    with city.database.read() as session:
        write_snapshot(zones.snapshot(session), folder / "zones.bin")
    event = {
        "@timestamp": moment, "event.id": "e", "event.dataset": "suricata.flow", "network.transport": "tcp",
        "source.ip": "10.61.0.7", "source.port": 51000, "destination.ip": "10.51.0.9", "destination.port": port,
    }  # fmt: skip
    enrich(event, ZoneSource(folder / "zones.bin")())
    return event.get("zone.verdict")


def test_a_permit_allows_the_flow_until_it_ends(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    assert verdict(city, tmp_path, now) == "denied"
    one = apply(city)
    do(city, "duty.one", one, "accept")
    assert verdict(city, tmp_path, clock.now()) == "denied"
    with pytest.raises(Denied, match="security administrator"):
        do(city, "duty.one", one, "issue")
    issued = do(city, "planner", one, "issue")
    assert (issued.state, issued.grant_kind) == ("issued", "conduit")
    after = clock.shift(clock.now(), 1)
    assert verdict(city, tmp_path, after) == "permitted"
    assert verdict(city, tmp_path, after, port=22) == "denied"
    assert issued.expires_at is not None
    late = clock.shift(issued.expires_at, 1)
    assert verdict(city, tmp_path, late) == "expired"
    monkeypatch.setattr(clock, "now", lambda: late)
    with city.database.write() as session:
        assert service.expire_due(session) == 1
        assert service.expire_due(session) == 0
        assert service.list_applications(session).applications[0].state == "expired"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"services": ["ssh"]}, "management"),
        ({"services": ["tcp/20-25"]}, "management"),
        ({"services": ["any"]}, "any"),
        ({"services": ["tcp/7000-7200"]}, "wide"),
        ({"source": "internet", "target": "water-office"}, "internet"),
        ({"target": "water-ot"}, "important"),
        ({"target": "water-ot"}, "field"),
    ],
)
def test_what_is_dangerous_needs_two_people_one_of_them_the_planner(city: City, more: dict[str, Any], why: str) -> None:
    one = apply(city, **more)
    who, _ = city.as_("duty.one")
    with city.database.read() as session:
        assert why in service.get_detail(session, who, one.id).dangers
    do(city, "duty.one", one, "accept")
    assert do(city, "duty.one", one, "issue").state == "to_confirm"
    with city.database.read() as session, pytest.raises(NotFound):
        zones.get_conduit(session, f"permit-{one.id}")
    for refused in ("duty.one", "duty.two"):
        with pytest.raises(Denied):
            do(city, refused, one, "confirm")
    key = Principal(city.as_("duty.one")[0].user_id, "duty.one", "", "duty", key_name="robot")
    with pytest.raises(Denied):
        do(city, key, one, "confirm")  # a key of the first person is the first person
    assert do(city, "planner", one, "confirm").state == "issued"
    with city.database.read() as session:
        assert zones.get_conduit(session, f"permit-{one.id}").state == "expiring"


def test_the_planner_alone_is_no_second_person(city: City) -> None:
    one = apply(city, services=["ssh"])
    do(city, "duty.one", one, "accept")
    assert do(city, "planner", one, "issue").state == "to_confirm"
    with pytest.raises(Denied):
        do(city, "planner", one, "confirm")
    assert do(city, "duty.two", one, "confirm").state == "issued"


def test_a_renewal_prolongs_the_same_conduit(city: City) -> None:
    one = apply(city)
    do(city, "planner", one, "accept")
    first = do(city, "planner", one, "issue")
    who, database = city.as_("water")
    with database.write() as session:
        again = service.renew(session, who, one.id, "继续使用", 20)
        with pytest.raises(Conflict):
            service.renew(session, who, one.id, "继续使用", 20)
    do(city, "planner", again, "accept")
    second = do(city, "planner", again, "issue")
    assert second.grant_id == first.grant_id
    assert first.expires_at is not None
    assert second.expires_at == clock.shift(first.expires_at, 20 * 86_400)
    with city.database.read() as session:
        assert zones.get_conduit(session, second.grant_id).conduit.until == second.expires_at
        assert service.get_detail(session, who, one.id).application.state == "renewed"


def test_revoking_closes_the_way(city: City, tmp_path: Path) -> None:
    one = apply(city)
    do(city, "planner", one, "accept")
    do(city, "planner", one, "issue")
    with pytest.raises(Invalid):
        do(city, "duty.one", one, "revoke")
    do(city, "duty.one", one, "revoke", "不再需要")
    assert verdict(city, tmp_path, clock.shift(clock.now(), 1)) == "denied"


def test_rejection_has_a_reason_and_withdrawing_is_the_applicants(city: City) -> None:
    one, two = apply(city), apply(city)
    with pytest.raises(Invalid):
        do(city, "duty.one", one, "reject")
    assert do(city, "duty.one", one, "reject", "依据不足").state == "rejected"
    with pytest.raises(Denied):
        do(city, "duty.one", two, "withdraw")
    with pytest.raises(Denied):
        do(city, "traffic", two, "withdraw")  # it sees the application, as its zone is the target
    assert do(city, "water.two", two, "withdraw").state == "withdrawn"
    with pytest.raises(Conflict):
        do(city, "duty.one", two, "accept")


def test_another_bureau_does_not_see_what_does_not_concern_it(city: City) -> None:
    one = apply(city, target="water-ot")
    who, database = city.as_("traffic")
    with database.write() as session:
        assert service.list_applications(session).applications == []
        with pytest.raises(NotFound):
            service.get_detail(session, who, one.id)
        with pytest.raises(NotFound):
            service.act(session, who, one.id, "accept")
        with pytest.raises(NotFound):
            service.renew(session, who, one.id, "x", 1)


@pytest.mark.parametrize(
    "more",
    [
        {"days": 0},
        {"days": 181},
        {"days": True},
        {"services": []},
        {"services": ["no-such-service"]},
        {"services": ["https"] * 3 + [f"tcp/{n}" for n in range(1, 20)]},
        {"source": "*"},
        {"source": "nowhere"},
        {"source": "traffic-office", "target": "traffic-office"},
        {"source": "traffic-office", "target": "internet"},
        {"reason": ""},
        {"reason": "x" * 2001},
        {"reason": {"$ne": 1}},
        {"approver": "planner"},
        {"state": "issued"},
    ],
)
def test_forms_take_what_they_have_and_nothing_else(city: City, more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        apply(city, **more)


def test_only_an_organisation_applies(city: City) -> None:
    with pytest.raises(Denied):
        apply(city, by="duty.one")


def test_who_read_an_older_version_does_not_decide(city: City) -> None:
    one = apply(city)
    do(city, "duty.one", one, "accept", expected_version=one.version)
    with pytest.raises(Conflict):
        do(city, "duty.two", one, "reject", "x", expected_version=one.version)


def test_a_certificate_is_issued_for_the_key_of_the_request(city: City) -> None:
    key, master = PrivateKey.generate(), MasterKey(b"0123456789abcdef")
    request = make_request(key, name("pump-station-1", "水务局"), ["10.60.0.5"]).to_pem()
    form = {"zone": "water-ot", "profile": "client", "request": request, "days": 90, "reason": "日志上送"}
    with pytest.raises(Invalid):
        apply(
            city,
            "certificate",
            **(form | {"request": BROKEN}),
        )
    one = apply(city, "certificate", **form)
    do(city, "duty.one", one, "accept")
    with pytest.raises(Conflict):
        do(city, "duty.one", one, "issue", means=Means(master))
    with city.database.write() as session:
        certificates.create_root(session, Actor("x"), master, "city", "City root")
        certificates.create_issuing(session, Actor("x"), master, "devices", "city", "Devices")
    issued = do(city, "duty.one", one, "issue", means=Means(master))
    who, database = city.as_("water")
    with database.read() as session:
        told = service.get_detail(session, who, one.id).granted
    made = read_certificates(told["certificate"].encode())[0]
    assert made.public_key.to_der() == key.public.to_der()
    assert told["authority"] == "devices"
    do(city, "water", issued, "revoke", "设备报废")
    with city.database.read() as session:
        assert certificates.get_certificate(session, issued.grant_id).revoked_at


def test_log_onboarding_tells_where_to_send(city: City) -> None:
    form = {
        "zone": "water-ot", "product": "PLC 网关", "format": "rfc5424", "transport": "tcp", "addresses": "10.60.0.5\n2001:db8::1",
        "per_day": "5000", "reason": "等保",
    }  # fmt: skip
    one = apply(city, "log-onboarding", **form)
    do(city, "duty.one", one, "accept")
    with pytest.raises(Conflict):
        do(city, "duty.one", one, "issue", means=Means(listen=[ListenPoint("udp", "::", 5514)]))
    do(city, "duty.one", one, "issue", means=Means(listen=[ListenPoint("tcp", "2001:db8::5", 5514)]))
    who, _ = city.as_("duty.one")
    with city.database.read() as session:
        told = service.get_detail(session, who, one.id).granted
    assert told["send_to"] == ["tcp [2001:db8::5]:5514"]
    with pytest.raises(Invalid):
        apply(city, "log-onboarding", **(form | {"addresses": "everywhere"}))
    with pytest.raises(Invalid):
        apply(city, "log-onboarding", **(form | {"zone": "traffic-office"}))


def test_an_account_is_issued_when_it_is_there(city: City) -> None:
    one = apply(city, "account", login="water.three", person="王工", reason="值守")
    do(city, "duty.one", one, "accept")
    with pytest.raises(Conflict):
        do(city, "duty.one", one, "issue")
    two = apply(city, "account", login="traffic", person="李工", reason="值守")
    do(city, "duty.one", two, "accept")
    with pytest.raises(Conflict):
        do(city, "duty.one", two, "issue")  # it is of another organisation
    three = apply(city, "account", login="Water.Two", person="赵工", reason="值守")
    do(city, "duty.one", three, "accept")
    assert do(city, "duty.one", three, "issue").grant_id == "water.two"


def test_a_scan_becomes_a_ticket_and_a_quota_a_record(city: City) -> None:
    one = apply(city, "scan", zone="water-ot", targets=["10.60.0.0/24"], window="周六 02:00", reason="年度")
    do(city, "duty.one", one, "accept")
    issued = do(city, "duty.one", one, "issue")
    with city.database.read() as session:
        assert WATER in tickets.get_ticket(session, int(issued.grant_id)).title
    two = apply(city, "quota", gigabytes=50, days=30, reason="扩容")
    do(city, "duty.one", two, "accept")
    assert do(city, "duty.one", two, "issue").expires_at is not None


def test_periods_come_from_the_terms(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with city.database.write() as session:
        usual = terms_of(session, "quota")
        assert usual.to_be_confirmed
        wanted = type(usual)("quota", 2, 5, True, "市运维办法 2026", False, 0)
        set_terms(session, Actor("boss"), wanted)
        with pytest.raises(Conflict):
            set_terms(session, Actor("boss"), wanted)
    one = apply(city, "quota", gigabytes=50, days=30, reason="扩容")
    assert one.accept_due == clock.shift(one.applied_at, 7200)
    late = clock.shift(one.accept_due, 1)
    monkeypatch.setattr(clock, "now", lambda: late)
    with city.database.read() as session:
        found = service.list_applications(session, ApplicationFilter(overdue=True)).applications
    assert [row.id for row in found] == [one.id]
    assert found[0].overdue


@pytest.mark.parametrize("name", ["duty.one", "water", "traffic"])
def test_states_are_counted_as_listed_each_way_to_see_one_by_its_index(city: City, name: str) -> None:
    do(city, "duty.one", apply(city), "accept")
    apply(city, days=20)
    _who, database = city.as_(name)
    with database.read() as session:
        shown = Counter(one.state for one in service.list_applications(session).applications)
        with statements(city.database) as sent:
            assert service.count_states(session) == shown
    assert shown
    assert not any("EXISTS" in one for one in sent)
