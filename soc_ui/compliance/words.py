"""Names of verdicts, states, kinds and decisions of the compliance pages, in the language of the page."""

from __future__ import annotations

from flask import Flask

from compliance.assessment.reading import Cell
from compliance.catalogue.load import crypto_requirements, requirements
from compliance.scoring.outcome import CONCLUSIONS
from compliance.systems.kinds import KINDS, name_of
from soc_ui.attack.matrix import DOMAINS
from soc_ui.attack.matrix import data as matrix_data
from soc_ui.compliance.waiting import waiting_now
from soc_ui.incidents.words import custody
from soc_ui.locale import CATALOGUE, _, language


def install(app: Flask) -> None:
    """Gives templates the names below."""
    app.jinja_env.globals.update(
        mlps_verdict=verdict_name, mlps_state=state_name, mlps_duty=duty_name, object_kind=kind_name, either=either,
        hazard_state=hazard_name, mlps_report=report_name, cell_look=cell_look, mlps_conclusion=conclusion,
        object_kinds=tuple(KINDS), confirm_kind=confirm_kind_name, confirm_state=confirm_state_name, probe_way=way_name,
        attack_tactic=tactic_name, finding_state=finding_state, finding_act=finding_act, waiver_state=waiver_state,
        compliance_waiting=waiting_now, document_kind=document_kind, edition_state=edition_state, document_act=document_act,
        decision_kind=decision_kind, decision_value=decision_value, custody_act=custody,
        request_state=request_state, review_act=review_act,
        handout_name=handout_name, handout_state=handout_state,
    )  # fmt: skip


def chinese() -> bool:
    """Is the page in Chinese?"""
    return language() == CATALOGUE["zh"]


def either(zh: str, en: str) -> str:
    """Data that is kept in both languages."""
    return zh if chinese() else en


def kind_name(kind: str) -> str:
    """A kind of object."""
    return name_of(kind, chinese=chinese())


def way_name(way: str) -> str:
    """By which way an object is looked at daily."""
    names = {
        "platform": _("State of this platform"),
        "local": _("Host of this platform"),
        "ssh": _("Linux host by SSH"),
        "tls": _("TLS endpoint"),
        "postgresql": _("PostgreSQL database"),
        "huawei-config": _("Configuration file (Huawei)"),
        "h3c-config": _("Configuration file (H3C)"),
        "cisco-config": _("Configuration file (Cisco-like)"),
        "windows-export": _("Export of a Windows host"),
        "mysql-export": _("Export of MySQL or MariaDB"),
        "dm-export": _("Export of DM 8"),
        "tomcat-conf": _("Files of Tomcat"),
        "redis-conf": _("Configuration file of Redis"),
        "cloud-export": _("Export of a cloud account"),
        "arf-report": _("Report of OpenSCAP"),
        "lynis-report": _("Report of lynis"),
        "nessus-report": _("Report of Nessus"),
        "wazuh-report": _("Report of Wazuh"),
    }
    return names.get(way, way)


def verdict_name(verdict: str) -> str:
    """符合, 部分符合, 不符合, 不适用; "" or "none": nobody has said anything yet."""
    names = {
        "met": _("Compliant"),
        "partly": _("Partly compliant"),
        "not_met": _("Not compliant"),
        "not_applicable": _("Not applicable"),
    }
    return names.get(verdict, _("Not yet assessed"))


def state_name(state: str) -> str:
    """Where a system is in its life."""
    names = {
        "planned": _("Planned"),
        "building": _("Under construction"),
        "running": _("In operation"),
        "changing": _("Being changed"),
        "retired": _("Taken out of service"),
    }
    return names.get(state, state)


def duty_name(duty: str) -> str:
    """What somebody is responsible for."""
    names = {
        "leader": _("Leader in charge"),
        "security": _("Security officer"),
        "system": _("System administrator"),
        "network": _("Network administrator"),
        "application": _("Application administrator"),
        "contact": _("Contact"),
    }
    return names.get(duty, duty)


def hazard_name(state: str) -> str:
    """How it stands with a 重大风险隐患."""
    names = {
        "found": _("Found"),
        "possible": _("Possible: a person has to look"),
        "fixed": _("Found, mended since"),
        "not_found": _("Is none"),
    }
    return names.get(state, state)


def conclusion(english: str) -> str:
    """The conclusion of a kept score."""
    return next((either(zh, en) for zh, en in CONCLUSIONS.values() if en == english), english)


def tactic_name(tactic: str) -> str:
    """A tactic of ATT&CK; as it is where the matrix does not have it."""
    names = {name: (zh, en) for domain in DOMAINS for name, en, zh in matrix_data()[domain]["tactics"]}
    return either(*names[tactic]) if tactic in names else tactic


def cell_look(cell: Cell | None) -> str:
    """How a cell of the map looks: its worst verdict."""
    if cell is None:
        return "none"
    if cell.not_met:
        return "bad"
    if cell.partly:
        return "warn"
    return "good" if cell.met else "off"


def classes() -> dict[str, str]:
    """Classes and layers of both standards → their names, in the order of the standards."""
    found = {one.security_class.id: either(one.security_class.zh, one.security_class.en) for one in requirements().placed()}
    return found | {layer.id: either(layer.zh, layer.en) for layer, _unit in crypto_requirements().units()}


def finding_state(state: str) -> str:
    """How far a finding is."""
    names = {
        "open": _("Nobody asked yet"),
        "assigned": _("Being mended"),
        "to_retest": _("To be re-tested"),
        "waived": _("Waived"),
        "closed": _("Closed"),
        "overdue": _("Overdue"),
    }
    return names.get(state, state)


def finding_act(act: str) -> str:
    """A line of a finding's history."""
    names = {
        "opened": _("Finding opened"),
        "closed": _("Finding closed"),
        "verdict": _("Verdict"),
        "assign": _("Given to somebody"),
        "due": _("Due date set"),
        "retest": _("Re-test asked for"),
        "failed": _("Re-test failed"),
        "waive": _("Waiver asked for"),
        "approve": _("Waiver approved"),
        "refuse": _("Waiver refused"),
        "end": _("Waiver ended"),
    }
    return names.get(act, act)


def waiver_state(state: str) -> str:
    """How a waiver stands."""
    names = {
        "asked": _("Waits for a decision"),
        "in_force": _("In force"),
        "refused": _("Refused"),
        "ended": _("Ended early"),
        "expired": _("Expired"),
    }
    return names.get(state, state)


def document_kind(kind: str) -> str:
    """制度, 操作规程, 记录."""
    names = {"policy": _("Policy"), "procedure": _("Procedure"), "record": _("Record")}
    return names.get(kind, kind)


def edition_state(state: str) -> str:
    """How far an edition is."""
    names = {
        "draft": _("Draft"),
        "approved": _("Approved"),
        "in_force": _("In force"),
        "under_review": _("Under review"),
        "withdrawn": _("Out of use"),
    }
    return names.get(state, state)


def document_act(act: str) -> str:
    """What a button does to an edition."""
    names = {
        "approve": _("Approve"),
        "enforce": _("Put it in force"),
        "review": _("Begin the review"),
        "confirm": _("It holds on as it is"),
        "withdraw": _("Take the edition out of use"),
    }
    return names.get(act, act)


def decision_kind(kind: str) -> str:
    """What is decided about a result."""
    names = {"compensation": _("Whole-system compensation"), "risk": _("Grade of the risk that is left")}
    return names.get(kind, kind)


def decision_value(kind: str, value: str) -> str:
    """What was decided."""
    names = {"high": _("high"), "medium": _("medium"), "low": _("low")}
    return names.get(value, value) if kind == "risk" else value


def request_state(state: str) -> str:
    """How a request for evidence stands."""
    names = {"open": _("Waits for an answer"), "answered": _("Answered"), "closed": _("Closed by the auditor")}
    return names.get(state, state)


def review_act(kind: str) -> str:
    """What somebody wrote."""
    names = {
        "comment": _("Comment"),
        "ask": _("asks"),
        "answer": _("answers"),
        "send_back": _("asks for more"),
        "close": _("closes the request"),
    }
    return names.get(kind, kind)


def handout_name(what: str) -> str:
    """What a link opens."""
    return _("Assessment of the system, as it stands") if what == "assessment" else report_name(what)[0]


def handout_state(state: str) -> str:
    """Whether a link opens anything."""
    names = {"open": _("Link is open"), "expired": _("Link has ended"), "revoked": _("Link revoked")}
    return names.get(state, state)


def report_name(kind: str) -> tuple[str, str]:
    """A kind of report, and what it is."""
    names = {
        "self-assessment": (
            _("Self-assessment report"),
            _("By the template that is chosen, with score and conclusion"),
        ),
        "gap": (_("Gap analysis"), _("What is not met or only in part, by class and object, with reasons")),
        "remediation": (_("Remediation plan"), _("Gaps with their tickets, owners, dates and waivers")),
        "board": (_("Summary for the management"), _("One page with a chart")),
        "crypto": (_("Cryptography self-assessment"), _("GB/T 39786: score, units and objects with D, A and K, high risks")),
        "protection-plan": (_("Draft of the protection work plan"), _("To be completed by people; in Chinese")),
        "checklist": (_("Check-list"), _("A row for each requirement and object, to be filled in and taken in again")),
        "oscal": (_("OSCAL, all documents"), _("Catalogue, profile, security plan, assessment plan and results, plan of action")),
        "evidence": (_("Evidence package"), _("Verdicts and evidence, sealed: SM3 of each file, signed with SM2")),
    }
    return names.get(kind, (f"OSCAL: {kind.removeprefix('oscal-')}", "OSCAL 1.2.1, JSON"))


def confirm_kind_name(kind: str) -> str:
    """What a record of the catalogue is."""
    names = {"item": _("MLPS item"), "unit": _("Unit of GB/T 39786"), "case": _("High-risk case")}
    return names.get(kind, kind)


def confirm_state_name(state: str) -> str:
    """Has a field been compared with the printed text?"""
    return _("Confirmed") if state == "confirmed" else _("To be confirmed")
