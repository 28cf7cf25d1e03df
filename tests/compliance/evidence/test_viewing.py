"""Evidence of verdicts: kept sealed, found wherever it lies, its seal checked, opened on record."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from compliance.documents import covering, editions
from compliance.documents import service as documents
from compliance.documents.schema import DocumentDraft, EditionDraft
from compliance.evidence import keeping, viewing
from compliance.evidence.models import EvidenceRow
from compliance.evidence.schema import Viewed
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from operations import clock
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.incidents import service as incidents
from operations.incidents.schema import NewIncident
from tests.compliance.assessment.small_system import PASSWORDS, SmallSystem
from tests.operations.organisations_city import WATER

KEY = MasterKey(b"0123456789abcdef")
RAW = b"# /etc/login.defs\nPASS_MIN_LEN 6\n"


def keep(small: SmallSystem, content: bytes = RAW, name: str = "login.defs") -> str:
    with small.database.write() as session:
        return keeping.keep(session, KEY, small.who, small.id, name, content, "读取自 h1").sm3


def seen(small: SmallSystem, who: str = "planner") -> Viewed:
    principal, database = small.city.as_(who)
    with database.read() as session:
        return viewing.of_verdict(session, principal, small.id, PASSWORDS, small.host)


def opened(small: SmallSystem, who: str = "planner") -> bytes:
    principal, database = small.city.as_(who)
    with database.write() as session:
        return viewing.open_raw(session, KEY, principal, small.id, PASSWORDS, small.host)[1]


def test_what_a_probe_read_is_recognised_by_its_sm3(small: SmallSystem) -> None:
    small.probe("not_met", evidence=sm3(RAW).hex())
    assert (seen(small).place, seen(small).sealed) == ("elsewhere", False)
    with pytest.raises(NotFound):
        opened(small)
    assert keep(small) == sm3(RAW).hex()
    assert keep(small, name="twice") == sm3(RAW).hex(), "the same file is there once"
    found = seen(small)
    assert (found.place, found.problem, found.name, found.size) == ("kept", "", "login.defs", len(RAW))
    assert [link.action for link in found.links] == ["seal"]
    assert opened(small) == RAW
    with small.database.read() as session:
        query = select(AuditEntry.action).where(AuditEntry.action.startswith("mlps_evidence")).order_by(AuditEntry.id)
        assert list(session.execute(query).scalars()) == ["mlps_evidence.keep", "mlps_evidence.open"]
        assert [one.name for one in keeping.list_evidence(session, small.id)[0]] == ["login.defs"]


def test_a_seal_that_does_not_hold_opens_nothing(small: SmallSystem) -> None:
    small.person("met", evidence=keep(small))
    with small.database.write() as session:
        row = session.execute(select(EvidenceRow)).scalar_one()
        row.package = row.package[:-8] + b"\0" * 8
    assert seen(small).problem
    with pytest.raises(Conflict):
        opened(small)


def test_one_file_in_the_place_of_another(small: SmallSystem) -> None:
    small.person("met", evidence=keep(small))
    keep(small, b"other")
    with small.database.write() as session:
        first, second = session.execute(select(EvidenceRow).order_by(EvidenceRow.id)).scalars()
        first.package, first.head = second.package, second.head
    assert seen(small).problem == "the package is of another file"


def test_a_document_is_opened_as_a_document(small: SmallSystem) -> None:
    with small.database.write() as session:
        document = documents.create_document(session, small.who, DocumentDraft("record", "记录", "water", WATER)).id
        editions.add_edition(session, KEY, small.who, document, EditionDraft("V1", "a.txt"), RAW)
        other, _ = small.city.as_("planner.two")
        editions.act(session, other, document, 1, "approve")
        editions.act(session, small.who, document, 1, "enforce", review_on=clock.shift(clock.now(), 86_400 * 9)[:10])
        reference = covering.cite(session, document)
    small.person("met", evidence=reference)
    found = seen(small)
    assert (found.place, found.number, found.edition, found.problem) == ("document", document, 1, "")
    assert opened(small) == RAW
    small.person("met", evidence=reference[:-4] + "0000")
    assert seen(small).place == "elsewhere"


def test_evidence_of_an_incident_is_for_who_works_on_incidents(small: SmallSystem) -> None:
    duty, database = small.city.as_("duty.one")
    with database.write() as session:
        made = incidents.create_incident(session, duty.actor, NewIncident(title="t", zones=("water-ot",)))
        piece = incidents.seal(session, KEY, duty.actor, made.id, "shadow", RAW, reason="r", origin="h1")
    small.person("met", evidence=piece.sm3)
    assert seen(small, "planner").place == "elsewhere", "the security administrator sees no incidents"
    found = seen(small, "reader")
    assert (found.place, found.number, found.problem, found.name) == ("incident", made.id, "", "shadow")
    with pytest.raises(Denied):
        opened(small, "reader")
    assert opened(small, "duty.one") == RAW
    assert [link.action for link in seen(small, "reader").links] == ["seal", "open"]


def test_limits_and_reach(small: SmallSystem) -> None:
    for content, name in ((b"", "a"), (b"x" * (keeping.MOST_BYTES + 1), "a"), (b"x", "../a"), (b"x", " ")):
        with pytest.raises(Invalid):
            keep(small, content, name)
    traffic, database = small.city.as_("traffic")
    with pytest.raises(NotFound), database.write() as session:
        keeping.keep(session, KEY, traffic, small.id, "a", b"x")
    with pytest.raises(NotFound), database.read() as session:
        viewing.view(session, traffic, small.id, "ab" * 32)
    assert msgspec.structs.asdict(seen(small))["place"] == ""
