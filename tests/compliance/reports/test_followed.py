"""What remediation and documents know, in the reports: tickets about one object, waivers, cited editions."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from compliance.documents import covering, editions
from compliance.documents import service as documents
from compliance.documents.schema import DocumentDraft, EditionDraft
from compliance.remediation import service, waivers
from compliance.remediation.following import follow
from compliance.remediation.schema import Assignment, FindingFilter, WaiverDraft
from compliance.reports.exporting import Means, Wish, export
from compliance.reports.material import gather
from compliance.reports.package import verify
from compliance.reports.papers import paper
from crypto.certificates import read_certificates
from crypto.secret import MasterKey
from operations import clock
from operations.incidents.evidence_key import authority
from tests.compliance.assessment.small_system import ROOM_DOOR, SmallSystem
from tests.operations.organisations_city import WATER

MASTER = MasterKey(b"0123456789abcdef")
POLICY = "8.1.6.1"
PDF = b"%PDF-1.7\n1 0 obj\n" + b"x" * 500


def test_a_ticket_about_one_object_and_a_waiver_stand_in_the_plan(small: SmallSystem) -> None:
    with small.database.write() as session:
        follow(session, small.id)
    with small.database.read() as session:
        found = service.list_findings(session, small.id, FindingFilter(item=ROOM_DOOR)).findings[0]
    due = clock.shift(clock.now(), 5 * 86_400)
    with small.database.write() as session:
        service.assign(session, small.who, found.id, Assignment(due_at=due), expected_version=None)
    with small.database.read() as session:
        problem = next(one for one in gather(session, small.id).problems if one.standing.item == ROOM_DOOR)
    assert problem.remedy is not None
    assert (problem.due_at, problem.planned, problem.remedy.bureau, problem.waived_until) == (due, False, WATER, "")
    until = clock.shift(clock.now(), 9 * 86_400)
    with small.database.write() as session:
        asked = waivers.ask(session, small.who, found.id, WaiverDraft("年底更换", "值守", until))
    second, database = small.city.as_("planner.two")
    with database.write() as session:
        waivers.decide(session, second, asked.id, True, expected_version=asked.version)
    with small.database.read() as session:
        material = gather(session, small.id)
    assert next(one for one in material.problems if one.standing.item == ROOM_DOOR).waived_until == until
    assert "已批准暂缓至" in str(paper(material, "remediation", "zh", "x"))


def test_the_edition_that_a_verdict_cites_is_in_the_package(small: SmallSystem, tmp_path: Path) -> None:
    with small.database.write() as session:
        made = documents.create_document(
            session, small.who, DocumentDraft("policy", "安全管理制度", "water", WATER, items=(POLICY,))
        )
        editions.add_edition(session, MASTER, small.who, made.id, EditionDraft("V1.0", "制度.pdf", "首版"), PDF)
    second, database = small.city.as_("planner.two")
    with database.write() as session:
        editions.act(session, second, made.id, 1, "approve")
    with small.database.write() as session:
        later = (date.today() + timedelta(days=365)).isoformat()
        editions.act(session, small.who, made.id, 1, "enforce", review_on=later)
        reference = covering.cite(session, made.id)
    small.person("met", POLICY, 0, evidence=reference)
    path = tmp_path / "p.zip"
    path.write_bytes(export(small.database, Means(MASTER), small.who, small.id, Wish("evidence")).octets)
    with small.database.read() as session:
        roots = read_certificates(authority(session).encode())
    assert f"documents/{made.id}-1.pdf" in verify(path, trusted=roots).files
