"""Hand-out links: one file or assessment, until a day, by password or not; refused alike; limited; each call in the trail."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from compliance.reports.exporting import Means
from compliance.review import handouts
from compliance.review.models import HandoutRow
from compliance.review.schema import HandoutDraft, HandoutRecord
from crypto.secret import MasterKey
from operations import clock
from operations.accounts.models import User
from operations.accounts.tokens import token_hash
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from tests.compliance.assessment.small_system import SmallSystem

KEY = MasterKey(b"0123456789abcdef")
HERE, SECRET = "198.51.100.7", "Gansu-Lotus-88"


def later(days: float = 7) -> str:
    return clock.shift(clock.now(), days * 86_400)


@dataclass
class Links:
    """Ways to make and call links of the small system."""

    small: SmallSystem
    addresses: int = field(default=0)

    def make(self, what: str = "assessment", **more: str) -> tuple[HandoutRecord, str]:
        wanted = {"recipient": "测评机构 王工", "expires_at": later(), **more}
        means = Means(KEY, "兰亭市")
        return handouts.make(self.small.database, means, self.small.who, self.small.id, HandoutDraft(what, **wanted))

    def call(self, token: str, address: str = HERE, password: str | None = None) -> str:
        opening = password is not None
        return handouts.call(self.small.database, KEY, token, address, opening=opening, password=password or "").outcome

    def change(self, number: int, **values: object) -> None:
        with self.small.database.write() as session:
            row = session.get_one(HandoutRow, number)
            for name, value in values.items():
                setattr(row, name, value)

    def results(self) -> list[tuple[str, str]]:
        with self.small.database.read() as session:
            query = select(AuditEntry.result, AuditEntry.detail).where(AuditEntry.action == "handout.open").order_by(AuditEntry.id)
            return [(result, detail) for result, detail in session.execute(query)]


@pytest.fixture
def links(small: SmallSystem) -> Links:
    small.probe("not_met")
    return Links(small)


def test_a_report_is_that_of_the_moment(links: Links) -> None:
    made, token = links.make("checklist")
    assert (made.state, made.file_name.endswith(".xlsx"), made.has_password, len(token) >= 43) == ("open", True, False, True)
    links.small.probe("met")
    first = handouts.call(links.small.database, KEY, token, HERE, opening=True)
    again = handouts.call(links.small.database, KEY, token, HERE, opening=True)
    assert first.outcome == "open"
    assert first.content[:2] == b"PK"
    assert first.content == again.content
    with links.small.database.read() as session:
        row = session.execute(select(HandoutRow)).scalar_one()
        assert (row.token_hash, row.opened, row.last_from) == (token_hash(token), 2, HERE)
        assert token not in "".join(str(value) for value in vars(row).values())
        assert first.content[:200] not in (row.package or b""), "it lies sealed"


def test_a_password_before_anything_is_told(links: Links) -> None:
    made, token = links.make(password=SECRET)
    asked = handouts.call(links.small.database, KEY, token, HERE)
    assert (asked.outcome, asked.handout) == ("password", None)
    assert links.call(token, password="wrong") == "wrong"
    assert links.call(token, password=SECRET) == "open"
    for _ in range(handouts.MOST_FAILURES):
        assert links.call(token, password="wrong") == "wrong"
    assert links.call(token, password=SECRET) == "locked", "also with the right one"
    links.change(made.id, locked_until=clock.shift(clock.now(), -1))
    assert links.call(token, password=SECRET) == "open"
    with links.small.database.read() as session:
        assert SECRET not in session.get_one(HandoutRow, made.id).password_hash


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked", "maker gone", "maker moved", "long"])
def test_what_opens_nothing_says_the_same(links: Links, why: str) -> None:
    made, token = links.make("checklist")
    if why == "unknown":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    elif why == "long":
        token = "x" * 100_000
    elif why == "expired":
        links.change(made.id, expires_at=clock.shift(clock.now(), -1))
    elif why == "revoked":
        with links.small.database.write() as session:
            handouts.revoke(session, links.small.who, links.small.id, made.id, "发错人", expected_version=1)
            assert session.get_one(HandoutRow, made.id).package is None
    else:
        with links.small.database.write() as session:
            user = session.get_one(User, links.small.who.user_id)
            user.active, user.role = why != "maker gone", "leader" if why == "maker moved" else user.role
    for password in (None, ""):
        called = handouts.call(links.small.database, KEY, token, HERE, opening=password is not None)
        assert (called.outcome, called.handout, called.content) == ("gone", None, b"")
    assert [result for result, _ in links.results()] == ["denied", "denied"]
    if why == "expired":
        with links.small.database.read() as session:
            assert session.get_one(HandoutRow, made.id).package is None, "its file is not kept"


def test_an_address_has_so_many_calls(links: Links) -> None:
    _, token = links.make()
    for _ in range(handouts.MOST_CALLS):
        assert links.call("unknown") == "gone"
    assert links.call(token) == "busy"
    assert links.call(token) == "busy"
    assert links.call(token, "2001:db8::1") == "open", "others are not kept out"
    refused = [detail for result, detail in links.results() if "too many calls" in detail]
    assert len(refused) == 1, "a flood does not fill the trail"


def test_who_makes_one_and_for_how_long(links: Links) -> None:
    for wrong in (
        {"expires_at": later(-1)},
        {"expires_at": later(200)},
        {"expires_at": ""},
        {"password": "short"},
        {"recipient": " "},
        {"language": "fr"},
    ):
        with pytest.raises(Invalid):
            links.make(**wrong)
    with pytest.raises(Invalid):
        links.make("everything")
    leader, _ = links.small.city.as_("reader")
    draft = HandoutDraft("assessment", "x", later())
    with pytest.raises(Denied):
        handouts.make(links.small.database, Means(KEY), leader, links.small.id, draft)
    with pytest.raises(NotFound):
        handouts.make(links.small.database, Means(KEY), links.small.who, 999, draft)
    made, _ = links.make()
    with pytest.raises(Stale), links.small.database.write() as session:
        handouts.revoke(session, links.small.who, links.small.id, made.id, "r", expected_version=9)
    with links.small.database.write() as session:
        assert handouts.revoke(session, links.small.who, links.small.id, made.id, "r").state == "revoked"
    with pytest.raises(Conflict), links.small.database.write() as session:
        handouts.revoke(session, links.small.who, links.small.id, made.id, "r")
    _, traffic = links.small.city.as_("traffic")
    with pytest.raises(NotFound), traffic.read() as session:
        handouts.list_handouts(session, links.small.id)


def test_a_damaged_file_is_not_handed_out(links: Links) -> None:
    made, token = links.make("checklist")
    with links.small.database.read() as session:
        package = session.get_one(HandoutRow, made.id).package
    assert package is not None
    links.change(made.id, package=package[:-9] + b"\0" * 9)
    with pytest.raises(Conflict):
        links.call(token, password="")
