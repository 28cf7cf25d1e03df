"""What incidents are made of, in the language of the page."""

from __future__ import annotations

from collections.abc import Callable

from operations.incidents import catalogue
from operations.incidents.clocks import Clock
from operations.incidents.grading import Reason
from operations.incidents.schema import Entry
from soc_ui import preferences
from soc_ui.locale import _, ngettext


def language() -> str:
    """``zh`` or ``en``, for texts that stand in data files in both."""
    return preferences.current().lang


def phases() -> dict[str, str]:
    return {
        "preparation": _("Preparation"),
        "detection": _("Detection"),
        "containment": _("Containment"),
        "eradication": _("Eradication"),
        "recovery": _("Recovery"),
        "review": _("Review"),
        "closed": _("Closed"),
    }


def causes() -> dict[str, str]:
    """Why an incident was closed; ``duplicate`` is not chosen by hand."""
    return {
        "resolved": _("Resolved"),
        "accepted": _("Risk accepted"),
        "false_alarm": _("False alarm"),
        "exercise": _("End of the exercise"),
        "duplicate": _("Merged into another"),
    }


def origins() -> dict[str, str]:
    return {
        "alert": _("Alerts"),
        "hotline": _("Hotline"),
        "bureau": _("Report of a bureau"),
        "notice": _("Notice of an authority"),
        "patrol": _("Inspection round"),
        "drill": _("Drill"),
    }


def operators() -> dict[str, str]:
    """Kinds of network operator, by which the deadline of the report goes."""
    return {
        "other": _("Other network operator"),
        "state": _("Central party or state organ"),
        "cii": _("Critical information infrastructure"),
    }


def objects() -> dict[str, str]:
    return {"special": _("Especially important"), "important": _("Important"), "general": _("Ordinary object")}


def degrees() -> dict[str, str]:
    return {
        "extreme": _("Extremely severe"),
        "serious": _("Severe"),
        "considerable": _("Considerable"),
        "slight": _("Slight or none"),
    }


def task_states() -> dict[str, str]:
    return {"open": _("To do"), "doing": _("In progress"), "done": _("Done"), "dropped": _("Dropped")}


def asset_states() -> dict[str, str]:
    return {"affected": _("Affected"), "isolated": _("Isolated"), "restored": _("Restored"), "cleared": _("Not affected after all")}


def asset_kinds() -> dict[str, str]:
    return {"asset": _("Device"), "service": _("Service")}


def indicator_kinds() -> dict[str, str]:
    hashes = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sm3": "SM3"}
    return {"ip": _("IP address"), "network": _("Network range"), "domain": _("Domain"), "url": "URL", **hashes}


def report_kinds() -> dict[str, str]:
    return {"initial": _("Initial report"), "progress": _("Progress report"), "closing": _("Closing report")}


def custody(action: str) -> str:
    """What a link of the custody record says was done."""
    names = {
        "seal": _("sealed"),
        "copy": _("copied"),
        "open": _("opened"),
        "hand over": _("handed over"),
        "examine": _("examined"),
        "return": _("returned"),
    }
    return names.get(action, action)


def review_fields() -> dict[str, str]:
    """The parts of a review, as the closing report has them."""
    return {
        "root_cause": _("Cause"),
        "measures": _("Measures of the response"),
        "harm": _("Harm done"),
        "responsibility": _("Responsibility"),
        "lessons": _("Lessons"),
    }


def kinds() -> dict[str, str]:
    """Kinds of timeline entries."""
    return {
        "act": _("Platform"),
        "alert": _("Alert"),
        "entry": _("What happened"),
        "note": _("Note"),
        "decision": _("Decision"),
    }


def level(number: int) -> str:
    """Name of a level, "" for undecided."""
    return catalogue.level_name(number, language())


def class_name(code: str) -> str:
    return catalogue.class_name(code, language())


def clock_name(key: str) -> str:
    names = {
        "ack": _("Acknowledge"),
        "contain": _("Contain"),
        "resolve": _("Resolve"),
        "report": _("Initial report"),
        "closing": _("Closing report"),
    }
    return names.get(key, key)


def clock_text(clock: Clock) -> str:
    """State of a clock in words; never by colour alone."""
    left = lasting(abs(clock.seconds))
    texts = {
        "running": _("%(span)s left", span=left),
        "soon": _("only %(span)s left", span=left),
        "overdue": _("overdue by %(span)s", span=left),
        "paused": _("paused"),
        "met": _("in time"),
        "missed": _("too late by %(span)s", span=left),
        "ended": _("closed without"),
        "waiting": _("not begun"),
    }
    return texts[clock.state]


def clock_look(state: str) -> str:
    """Class of the badge."""
    return {"running": "", "soon": "warn", "overdue": "bad", "met": "good", "missed": "bad"}.get(state, "")


def most_urgent(clocks: list[Clock]) -> Clock | None:
    """The clock a list shows: the earliest deadline that runs, else one that stands still."""
    running = [one for one in clocks if one.state in ("running", "soon", "overdue")]
    if running:
        return min(running, key=lambda one: one.due)
    return next((one for one in clocks if one.state == "paused"), None)


def lasting(seconds: float) -> str:
    """A duration in its two largest units, e.g. ``2 h 5 min``."""
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return _("%(d)d d %(h)d h", d=days, h=hours) if hours else _("%(n)d d", n=days)
    if hours:
        return _("%(h)d h %(m)d min", h=hours, m=rest) if rest else _("%(n)d h", n=hours)
    return _("%(n)d min", n=rest) if minutes else _("%(n)d s", n=int(seconds))


def deadline_name(key: str) -> str:
    """Name of a number of the table of deadlines, such as ``ack.2`` or ``report.cii``."""
    what, _dot, which = key.partition(".")
    name = clock_name(what)
    if what == "report":
        return f"{name} · {operators().get(which, which)}"
    return f"{name} · {level(int(which))}" if which else name


def source(text: str) -> str:
    """Where a number comes from; the data file has Chinese / English where there is both."""
    chinese, _slash, english = text.partition(" / ")
    return english if english and language() == "en" else chinese


def reason(found: Reason) -> str:
    """Why a class or level is suggested."""
    count = ngettext("%(num)d alert", "%(num)d alerts", found.count)
    texts = {
        "tag": _("technique %(tag)s in %(alerts)s", tag=found.subject, alerts=count),
        "word": _("“%(word)s” in the name of %(alerts)s", word=found.subject, alerts=count),
        "engine": _("kind of detection %(engine)s in %(alerts)s", engine=found.subject, alerts=count),
        "zone_importance": _("zone %(name)s has importance %(n)d of 5", name=found.subject, n=found.count),
        "asset_importance": _("device %(name)s has importance %(n)d of 5", name=found.subject, n=found.count),
        "place_unknown": _("no zone and no device is known"),
        "loss_technique": _("technique %(tag)s means a loss of business", tag=found.subject),
        "loss_severity": _("loss after the severity of the alerts"),
    }
    return texts.get(found.code, found.subject)


def entry(found: Entry) -> str:
    """A timeline entry that the platform wrote."""
    if found.act in _TOLD:
        return _TOLD[found.act](found)
    detail = found.detail
    count = int(detail.get("count", 0) or 0)
    texts = {
        "created": _("Incident made from: %(origin)s", origin=origins().get(str(detail.get("origin")), "")),
        "alerts_added": ngettext("%(num)d alert added", "%(num)d alerts added", count),
        "alert_removed": _("Alert #%(id)s taken out", id=detail.get("alert", "")),
        "changed": _("Changed: %(fields)s", fields=", ".join(field(str(name)) for name in detail.get("fields", []))),
        "acknowledged": _("Acknowledged; assigned to %(name)s", name=detail.get("assignee") or _("nobody")),
        "paused": _("SLA clocks stand still: %(reason)s", reason=detail.get("reason", "")),
        "resumed": _("SLA clocks run again"),
        "merged": _("Incident %(number)s merged into this one", number=detail.get("number", "")),
        "merged_into": _("Merged into %(number)s", number=detail.get("number", "")),
        "tasks_added": ngettext("%(num)d task of the template added", "%(num)d tasks of the template added", count),
        "task_added": _("Task added: %(title)s", title=detail.get("title", "")),
        "task_state": _("Task “%(title)s”: %(state)s", title=detail.get("title", ""), state=_state(task_states(), detail)),
        "indicator_added": _("Indicator added: %(value)s", value=detail.get("value", "")),
        "indicator_removed": _("Indicator taken out: %(value)s", value=detail.get("value", "")),
        "asset_added": _("Affected: %(name)s", name=detail.get("name", "")),
        "evidence_sealed": _("Evidence sealed: %(name)s", name=detail.get("name", "")),
        "evidence_link": _("Evidence %(name)s: %(act)s", name=detail.get("name", ""), act=custody(str(detail.get("action", "")))),
        "review": _("Review written"),
        "action_added": _("Improvement action: %(title)s", title=detail.get("title", "")),
        "action_state": _("Action “%(title)s”: %(state)s", title=detail.get("title", ""), state=_state(task_states(), detail)),
        "report_issued": _("Report %(number)s issued", number=detail.get("number", "")),
        "report_submitted": _("Report %(number)s submitted to %(to)s", number=detail.get("number", ""), to=detail.get("to", "")),
        "soon": _("Reminder: %(clock)s is due soon", clock=clock_name(str(detail.get("clock", "")))),
        "overdue": _("Reminder: %(clock)s is overdue", clock=clock_name(str(detail.get("clock", "")))),
        "asset_state": _("%(name)s: %(state)s", name=detail.get("name", ""), state=_state(asset_states(), detail)),
    }
    return texts.get(found.act, found.act)


def field(name: str) -> str:
    """Name of a field that was changed."""
    names = {
        "title": _("Title"),
        "description": _("Description"),
        "reporter": _("Reported by"),
        "severity": _("Severity"),
        "operator": _("Kind of operator"),
        "assignee": _("Assigned to"),
        "zones": _("Zones"),
        "organisations": _("Organisations"),
        "occurred_at": _("Occurred"),
        "detected_at": _("Detected"),
    }
    return names.get(name, name)


def _state(names: dict[str, str], detail: dict[str, object]) -> str:
    value = str(detail.get("status") or detail.get("state") or "")
    return names.get(value, value)


def _decided(found: Entry) -> str:
    after, why = found.detail.get("after", {}), str(found.detail.get("reason", ""))
    named = f"{class_name(str(after.get('class_code', '')))} · {level(int(after.get('level', 0) or 0))}"
    return _("Decided: %(named)s", named=named) + (f" ({why})" if why else "")


def _phase(found: Entry) -> str:
    names, detail = phases(), found.detail
    before, after = str(detail.get("before", "")), str(detail.get("after", ""))
    told = f"{names.get(before, before)} → {names.get(after, after)}"
    extra = [text for text in (causes().get(str(detail.get("cause", "")), ""), str(detail.get("reason", ""))) if text]
    return _("Phase: %(told)s", told=told) + (f" ({'; '.join(extra)})" if extra else "")


_TOLD: dict[str, Callable[[Entry], str]] = {"decided": _decided, "phase": _phase}
"""Acts whose details have a shape of their own: ``after`` is what was decided in the one, a phase in the other."""
