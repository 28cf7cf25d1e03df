"""Tickets between the operator and the bureaus, in a real database."""

from __future__ import annotations

import pytest

from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.tickets import service
from operations.tickets.schema import Act, Draft, Link, TicketDetail, TicketFilter, TicketRow
from tests.operations.organisations_city import TRAFFIC, WATER, City


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


def make(city: City, by: str = "duty.one", **more: object) -> TicketRow:
    who, database = city.as_(by)
    draft = Draft(**({"kind": "remediation", "title": "修复 CVE-2026-1", "bureau": WATER} | more))  # type: ignore[arg-type]
    with database.write() as session:
        return service.create(session, who, draft)


def do(city: City, by: str, ticket: TicketRow, act: str, *, version: int | None = None, **more: object) -> TicketRow:
    who, database = city.as_(by)
    with database.write() as session:
        return service.act(session, who, ticket.id, Act(act, **more), expected_version=version)  # type: ignore[arg-type]


def detail(city: City, by: str, ticket: TicketRow) -> TicketDetail:
    who, database = city.as_(by)
    with database.read() as session:
        return service.get_detail(session, who, ticket.id)


def test_from_the_operator_to_the_bureau_and_back_again(city: City) -> None:
    ticket = make(city, zones=("water-ot",), links=(Link("alert", "17"), Link("zone", "water-ot")))
    assert (ticket.state, ticket.waiting_for, ticket.issuer) == ("to_read", "handler", "")
    assert do(city, "water", ticket, "receipt").state == "to_do"
    assert do(city, "water", ticket, "take").assignee == "water"
    assert do(city, "water", ticket, "finish", note="补丁已安装").state == "done"
    back = do(city, "duty.one", ticket, "send_back", note="扫描仍能发现")
    assert (back.state, back.waiting_for, back.done_at) == ("sent_back", "handler", None)
    assert do(city, "water", ticket, "take").state == "in_hand"
    last = do(city, "water", ticket, "finish", note="已重启服务")
    shown = detail(city, "water", ticket)
    assert (last.state, shown.result) == ("done", "已重启服务")
    assert [one.name for one in shown.receipts] == ["water"]
    assert [one.act for one in shown.history] == ["finish", "take", "send_back", "finish", "take", "receipt", "create"]
    with city.database.read() as session:
        entries = audit.listing(session, object_type="ticket", limit=20).entries
    assert [one.action for one in entries] == [f"ticket.{one.act}" for one in shown.history]


def test_another_bureau_sees_nothing_of_it_but_that_something_is_hidden(city: City) -> None:
    ticket = make(city)
    who, database = city.as_("traffic")
    with database.write() as session:
        assert service.list_tickets(session).tickets == []
        assert service.count_hidden(session) == 1
        assert set(service.count_boxes(session).values()) == {0}
        for call in (
            lambda: service.get_ticket(session, ticket.id),
            lambda: service.get_detail(session, who, ticket.id),
            lambda: service.act(session, who, ticket.id, Act("take")),
            lambda: service.add_comment(session, who, ticket.id, "x"),
            lambda: service.add_attachment(session, who, ticket.id, "a.txt", "x"),
        ):
            with pytest.raises(NotFound):
                call()


def test_whose_zone_is_named_reads_but_does_not_act_for_the_addressed_bureau(city: City) -> None:
    ticket = make(city, zones=("traffic-office",))
    assert detail(city, "traffic", ticket).acts == []
    with pytest.raises(Denied):
        do(city, "traffic", ticket, "receipt")


def test_the_operator_does_not_sign_for_the_bureau(city: City) -> None:
    ticket = make(city)
    with pytest.raises(Denied):
        do(city, "duty.one", ticket, "receipt")
    assert detail(city, "reader", ticket).acts == []


def test_who_read_an_older_version_does_not_overwrite(city: City) -> None:
    ticket = make(city)
    do(city, "water", ticket, "take", version=ticket.version)
    with pytest.raises(Conflict):
        do(city, "duty.one", ticket, "edit", version=ticket.version, title="other")


def test_a_delegation_ends_by_itself(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = make(city)
    do(city, "water", ticket, "take")
    with pytest.raises(Denied):
        do(city, "water.two", ticket, "finish", note="x")
    do(city, "water", ticket, "delegate", assignee="water.two", until=clock.shift(clock.now(), 3600))
    assert "finish" in detail(city, "water.two", ticket).acts
    late = clock.shift(clock.now(), 3601)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert detail(city, "water.two", ticket).acts == []
    with pytest.raises(Denied):
        do(city, "water.two", ticket, "finish", note="x")


def test_a_transfer_stays_on_the_side_that_is_addressed(city: City) -> None:
    ticket = make(city)
    for outsider in ("traffic", "duty.two", "reader", "nobody"):
        with pytest.raises(Invalid):
            do(city, "water", ticket, "transfer", assignee=outsider)
    with pytest.raises(Denied):
        do(city, "water", ticket, "transfer", bureau=TRAFFIC)
    assert do(city, "water", ticket, "transfer", assignee="water.two").assignee == "water.two"
    moved = do(city, "duty.one", ticket, "transfer", bureau=TRAFFIC)
    assert (moved.bureau, moved.assignee, moved.state) == (TRAFFIC, None, "to_read")
    with pytest.raises(NotFound):
        detail(city, "water", ticket)


def test_a_bureau_writes_to_the_operator_only(city: City) -> None:
    with pytest.raises(Invalid):
        make(city, "water", bureau=TRAFFIC)
    with pytest.raises(Invalid):
        make(city, "water", bureau="", zones=("traffic-office",))
    ticket = make(city, "water", bureau="")
    assert ticket.issuer == WATER
    assert do(city, "duty.two", ticket, "take").assignee == "duty.two"


def test_overdue_and_cursor(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make(city, title=f"t{number}", due_at=clock.shift(clock.now(), 60 + number)) for number in range(7)]
    seen, cursor = [], ""
    for _ in range(4):
        with city.database.read() as session:
            page = service.list_tickets(session, limit=2, cursor=cursor, sort="due")
        seen += [one.id for one in page.tickets]
        cursor = page.cursor
    assert seen == [one.id for one in made]
    assert cursor == ""
    late = clock.shift(clock.now(), 3600)
    monkeypatch.setattr(clock, "now", lambda: late)
    with city.database.read() as session:
        assert len(service.list_tickets(session, TicketFilter(overdue=True)).tickets) == 7
        assert [one.title for one in service.list_tickets(session, TicketFilter(text="T3")).tickets] == ["t3"]
        assert service.list_tickets(session, TicketFilter(text="%")).tickets == []
        with pytest.raises(Invalid):
            service.list_tickets(session, cursor="' OR 1=1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"kind": "x"},
        {"level": "x"},
        {"bureau": "nobody"},
        {"due_at": "yesterday"},
        {"due_at": "2001-01-01T00:00:00Z"},
        {"zones": ("nowhere",)},
        {"links": (Link("alert", "../1"),)},
        {"links": (Link("user", "1"),)},
        {"assignee": "traffic"},
    ],
)
def test_what_is_not_accepted(city: City, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        make(city, **wrong)


def test_attachments_are_texts_of_bounded_size_and_number(city: City) -> None:
    ticket = make(city)
    who, database = city.as_("water")
    with database.write() as session:
        number = service.add_attachment(session, who, ticket.id, "log.txt", "<script>\n" * 10)
        assert service.get_attachment(session, ticket.id, number) == ("log.txt", "<script>\n" * 10)
        for name, text in (("../x", "x"), ("x", ""), ("x", "水" * 30_000), ("", "x")):
            with pytest.raises(Invalid):
                service.add_attachment(session, who, ticket.id, name, text)
        for one in range(service.MAX_ATTACHMENTS - 1):
            service.add_attachment(session, who, ticket.id, f"{one}.txt", "x")
        with pytest.raises(Invalid):
            service.add_attachment(session, who, ticket.id, "one-more.txt", "x")
    other = make(city)
    with city.database.read() as session, pytest.raises(NotFound):
        service.get_attachment(session, other.id, number)
