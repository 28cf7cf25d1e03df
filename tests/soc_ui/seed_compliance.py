"""A system with findings in every state, waivers and documents, for the pages of compliance."""

from __future__ import annotations

from compliance.assessment.deciding import decide
from compliance.assessment.record import record_many
from compliance.assessment.schema import Finding
from compliance.documents import editions, readers
from compliance.documents import service as documents
from compliance.documents.models import DocumentRow
from compliance.documents.schema import DocumentDraft, EditionDraft
from compliance.evidence import keeping
from compliance.remediation import listing, service, waivers
from compliance.remediation.following import follow
from compliance.remediation.schema import Assignment, FindingFilter, WaiverDraft
from compliance.reports.exporting import Means
from compliance.review import handouts
from compliance.review import service as review
from compliance.review.schema import About, HandoutDraft
from compliance.systems import objects
from compliance.systems import service as systems
from compliance.systems.schema import ObjectDraft, SystemDraft
from operations import clock
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM, Actor
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD
from tests.soc_ui.seed_desk import WATER, as_

SEC = ADMINISTRATORS["secadmin"][0]
AUDITOR = "wai.shen"
PASSWORDS, LOCKOUT, FACTORS = "8.1.4.1.a", "8.1.4.1.b", "8.1.4.1.d"
PDF = b"%PDF-1.7\n1 0 obj\n" + b"x" * 500
PROBE = Actor("probe host.login_defs")


def said(services: Services, system: int, item: str, target: int, verdict: str) -> None:
    """A probe's word; no drift is told of."""
    found = [Finding(item, target, verdict, "PASS_MIN_LEN 6 < 8", "ab" * 32, "grep PASS_MIN_LEN /etc/login.defs")]
    with services.database.write() as session:
        record_many(session, PROBE, system, found, source="probe", on_drift=lambda _session, _drifts: None)


def fill_findings(services: Services, name: str = "供水调度系统") -> tuple[int, int]:
    """Number of the system and of its host. People (seed_desk) and the plan (seed_zones) have to be there.

    Findings: passwords is with 水务局, lockout is nobody's, the second factor has a waiver that is asked for.
    """
    who, whole = as_(services, SEC)
    with whole.write() as session:
        system = systems.create_system(session, who, SystemDraft(name, "S3A3", organisation=WATER, zones=("water-ot",))).id
        host = objects.add_object(session, who, system, ObjectDraft("server_os", "调度服务器")).id
        objects.add_object(session, who, system, ObjectDraft("database", "历史库"))
    for item, verdict in ((PASSWORDS, "not_met"), (LOCKOUT, "partly"), (FACTORS, "not_met"), ("8.1.4.1.c", "met")):
        said(services, system, item, host, verdict)
    with whole.write() as session:
        follow(session, system)
        found = {one.item: one.id for one in listing.list_all(session, FindingFilter(system_id=system)).findings}
        service.assign(session, who, found[PASSWORDS], Assignment(WATER, "shui.wu", note="按基线整改口令策略"))
        draft = WaiverDraft("系统将于年底更换", "登录仅限堡垒机", clock.shift(clock.now(), 90 * 86_400))
        waivers.ask(session, who, found[FACTORS], draft)
    return system, host


def fill_documents(services: Services, _system: int = 0, _host: int = 0) -> dict[str, int]:
    """A policy in force that is overdue for its review, a procedure with a draft, a record without an edition; their numbers."""
    who, whole = as_(services, SEC)
    leader, _ = as_(services, "ling.dao")
    assert services.master_key is not None
    made = {}
    for kind, title, items in (
        ("policy", "网络安全管理制度", ("8.1.6.1", "8.1.6.2.a")),
        ("procedure", "口令管理操作规程", (PASSWORDS,)),
        ("record", "机房出入登记表", ()),
    ):
        with whole.write() as session:
            made[kind] = documents.create_document(session, who, DocumentDraft(kind, title, "shui.wu", WATER, items=items)).id
    for kind in ("policy", "procedure"):
        with whole.write() as session:
            draft = EditionDraft("V1.0", f"{kind}.pdf", "首版")
            editions.add_edition(session, services.master_key, who, made[kind], draft, PDF)
    with whole.write() as session:
        editions.act(session, leader, made["policy"], 1, "approve")
        editions.act(session, who, made["policy"], 1, "enforce", review_on=clock.shift(clock.now(), 86_400 * 365)[:10])
        readers.acknowledge(session, as_(services, "shui.wu")[0], made["policy"], 1)
        session.get_one(DocumentRow, made["policy"]).review_on = "2026-10-01"
    return made


def fill_review(services: Services, system: int, host: int) -> dict[str, int | str]:
    """Decisions about a result and sealed evidence of its verdict, an auditor's words, and two links."""
    who, whole = as_(services, SEC)
    assert services.master_key is not None
    with whole.write() as session:
        kept = keeping.keep(session, services.master_key, who, system, "login.defs", b"# /etc/login.defs\nPASS_MIN_LEN 6\n", "h1")
        found = [Finding(PASSWORDS, host, "not_met", "PASS_MIN_LEN 6 < 8", kept.sm3, "grep PASS_MIN_LEN /etc/login.defs")]
        record_many(session, PROBE, system, found, source="probe", on_drift=lambda _session, _drifts: None)
        for value, reason in (("0.5", "堡垒机统一认证"), ("0.3", "堡垒机仅覆盖部分主机")):
            decide(session, who, system, "compensation", PASSWORDS, value, reason)
        decide(session, who, system, "risk", PASSWORDS, "medium", "内网隔离，影响有限", object_id=host)
    create_user(services.database, SYSTEM, AUDITOR, PASSWORD, "auditor", display_name="外审")
    auditor, _ = as_(services, AUDITOR)
    water, own = as_(services, "shui.wu")
    about = About(system, PASSWORDS, host)
    with whole.write() as session:
        review.comment(session, auditor, about, "现场抽查三台主机，配置与记录一致。")
        first = review.ask(session, auditor, about, "请提供口令策略配置文件与最近一次修改的审批记录", "2099-01-01")
        review.ask(session, auditor, About(system), "请提供系统拓扑图与边界设备清单")
    with own.write() as session:
        review.answer(session, water, first.id, "配置见附件。", kept.sm3)
    means = Means(services.master_key, "兰亭市")
    drafts = (
        HandoutDraft("assessment", "市网信办 李工", clock.shift(clock.now(), 9 * 86_400)),
        HandoutDraft("gap", "测评机构 王工", clock.shift(clock.now(), 5 * 86_400), password="Gansu-Lotus-88"),
    )
    tokens = [handouts.make(services.database, means, who, system, draft)[1] for draft in drafts]
    return {"request": first.id, "open_token": tokens[0], "locked_token": tokens[1]}
