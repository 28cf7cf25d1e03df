"""An auditor asks for evidence, who is responsible answers, the auditor closes; comments; foreign eyes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from compliance.evidence import keeping
from compliance.review import service
from compliance.review.schema import About, EvidenceRequest, RequestFilter
from crypto.secret import MasterKey
from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.tickets import service as tickets
from tests.compliance.assessment.small_system import PASSWORDS, SmallSystem

KEY = MasterKey(b"0123456789abcdef")
AUDITOR = Principal(0, "auditor.one", "", "auditor")


def asked(small: SmallSystem, **more: str) -> EvidenceRequest:
    about = About(small.id, PASSWORDS, small.host)
    with small.database.write() as session:
        return service.ask(session, AUDITOR, about, "口令策略截图", **more)


def test_from_the_question_to_the_end(small: SmallSystem) -> None:
    made = asked(small, due_on="2099-01-01")
    assert (made.state, made.object, made.due_on, made.overdue) == ("open", "h1", "2099-01-01", False)
    water, bureau = small.city.as_("water")
    with bureau.read() as session:
        (told,) = tickets.list_tickets(session).tickets
    assert told.kind == "notification"
    assert PASSWORDS in told.title
    with pytest.raises(Invalid, match="missing"), bureau.write() as session:
        service.answer(session, water, made.id, " ")
    with pytest.raises(Invalid, match="lies here"), bureau.write() as session:
        service.answer(session, water, made.id, "见附件", "ab" * 32)
    with bureau.write() as session:
        file = keeping.keep(session, KEY, water, small.id, "shot.png", b"png", "").sm3
        answered = service.answer(session, water, made.id, "", file, expected_version=made.version)
    assert answered.request.state == "answered"
    with pytest.raises(Stale), small.database.write() as session:
        service.close(session, AUDITOR, made.id, expected_version=made.version)
    with small.database.write() as session:
        assert service.send_back(session, AUDITOR, made.id, "看不清").request.state == "open"
    with pytest.raises(Conflict), small.database.write() as session:
        service.send_back(session, AUDITOR, made.id, "看不清")
    with pytest.raises(Invalid), small.database.write() as session:
        service.close(session, AUDITOR, made.id)
    with bureau.write() as session:
        service.answer(session, water, made.id, "已更新", file)
    with small.database.write() as session:
        closed = service.close(session, AUDITOR, made.id)
    assert [one.kind for one in closed.entries] == ["ask", "answer", "send_back", "answer", "close"]
    for act in (service.close, service.answer):
        with pytest.raises(Conflict), small.database.write() as session:
            act(session, AUDITOR, made.id, "x")
    with small.database.read() as session:
        acts = select(AuditEntry.action).where(AuditEntry.object_type == "evidence_request").order_by(AuditEntry.id)
        told_of = list(session.execute(acts).scalars())
    assert told_of == [f"review.{act}" for act in ("ask", "answer", "send_back", "answer", "close")]


def test_lists_and_counts(small: SmallSystem) -> None:
    first, second = asked(small), asked(small)
    with small.database.write() as session:
        service.close(session, AUDITOR, first.id, "重复")
    with small.database.read() as session:
        assert service.count_states(session) == {"open": 1, "answered": 0, "closed": 1}
        page = service.list_requests(session, limit=1)
        rest = service.list_requests(session, limit=1, cursor=page.cursor)
        assert [one.id for one in page.requests + rest.requests] == [second.id, first.id]
        assert service.list_requests(session, RequestFilter("open", small.id, PASSWORDS)).requests[0].id == second.id
        with pytest.raises(Invalid):
            service.list_requests(session, cursor="x")
        with pytest.raises(NotFound):
            service.list_requests(session, RequestFilter(system_id=999))
    for wrong in ({"due_on": "2020-01-01"}, {"due_on": "soon"}):
        with pytest.raises(Invalid):
            asked(small, **wrong)


def test_comments(small: SmallSystem) -> None:
    for about, words in ((About(small.id, PASSWORDS, small.host), "抽查了三台"), (About(small.id), "整体良好")):
        with small.database.write() as session:
            service.comment(session, AUDITOR, about, words)
    with small.database.read() as session:
        assert [(one.object, one.text) for one in service.comments(session, About(small.id, PASSWORDS))] == [("h1", "抽查了三台")]
        assert [one.text for one in service.comments(session, About(small.id))] == ["整体良好"]
    for about in (About(small.id, "8.9.9"), About(small.id, PASSWORDS, 999), About(999)):
        with pytest.raises((Invalid, NotFound)), small.database.write() as session:
            service.comment(session, AUDITOR, about, "x")


def test_another_bureau_sees_nothing(small: SmallSystem) -> None:
    made = asked(small)
    traffic, database = small.city.as_("traffic")
    with database.read() as session:
        assert service.list_requests(session).requests == []
        assert sum(service.count_states(session).values()) == 0
        with pytest.raises(NotFound):
            service.get_request(session, made.id)
        with pytest.raises(NotFound):
            service.comments(session, About(small.id))
    with pytest.raises(NotFound), database.write() as session:
        service.answer(session, traffic, made.id, "x")
