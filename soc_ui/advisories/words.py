"""What verdicts, states, sources and reasons of advisories are called in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from soc_ui.locale import _


def verdict_name(verdict: str) -> str:
    """How sure a match is."""
    return {"affected": _("Affected"), "possibly": _("Possibly affected"), "fixed": _("Mended")}.get(verdict, verdict)


def match_state(state: str) -> str:
    """What was decided about a match."""
    names = {"open": _("not decided yet"), "accepted": _("accepted for a time"), "fixed": _("mended"), "false": _("does not apply")}
    return names.get(state, state)


def source_name(source: str) -> str:
    """Who says it."""
    return {"kev": "KEV", "nvd": "NVD"}.get(source, source.removeprefix("csaf:"))


def software_source(source: str) -> str:
    """How an entry of software came here."""
    names = {"hand": _("By hand"), "import": _("Imported list"), "sensor": _("Sensor"), "sbom": "SBOM"}
    return names.get(source, source)


def sentence(reason: Mapping[str, Any]) -> str:
    """Why a verdict is as it is."""
    values = {name: reason.get(name, "") for name in ("product", "release", "range", "condition")}
    values["source"] = source_name(reason.get("source", ""))
    values["range"] = values["range"] or _("every version")
    told = {
        "in_range": _("%(product)s %(release)s lies in the range %(range)s that %(source)s names."),
        "every": _("%(source)s names every version of %(product)s."),
        "no_version": _("The version of %(product)s is not known; %(source)s names %(range)s."),
        "no_ranges": _("%(source)s names %(product)s without versions."),
        "packaged": _(
            "%(product)s %(release)s is from a packager who may have mended it; the maker's range (%(source)s) is %(range)s."
        ),
        "edition": _("%(product)s %(release)s lies in %(range)s (%(source)s); whether it is the edition meant is not known."),
        "vendor": _("%(product)s %(release)s lies in %(range)s (%(source)s); its vendor is not known."),
        "condition": _(
            "%(product)s %(release)s lies in %(range)s (%(source)s), but only together with %(condition)s, "
            "which is not known there."
        ),
        "listed": _("%(source)s lists %(product)s %(release)s as mended or not affected."),
        "behind": _("%(product)s %(release)s is newer than the range %(range)s that %(source)s names."),
        "gone": _("The software is not on it any more, or the advisory does not name it any more."),
    }
    code = str(reason.get("code", ""))
    return told[code] % values if code in told else code


def install(app: Flask) -> None:
    """Gives templates these names."""
    app.jinja_env.globals.update(
        advisory_verdict=verdict_name, advisory_state=match_state, advisory_source=source_name, advisory_reason=sentence,
        software_source=software_source,
    )  # fmt: skip
