"""Reasons of risk in words, and what factors and bands are called."""

from __future__ import annotations

from collections.abc import Callable

from operations.risk.schema import Reason
from soc_ui.locale import _, ngettext


def factor_name(factor: str) -> str:
    """What a factor is called."""
    names = {
        "exposure": _("Exposure"), "vulnerability": _("Vulnerability"), "threat": _("Threat"), "importance": _("Importance")
    }  # fmt: skip
    return names.get(factor, factor)


def band_name(band: str) -> str:
    """What a band of scores is called."""
    return {"critical": _("Critical"), "high": _("High"), "medium": _("Medium"), "low": _("Low")}.get(band, band)


def sentence(reason: Reason, zone_name: Callable[[str], str]) -> str:
    """One reason as a sentence in the language of the page."""
    level = {"critical": _("critical"), "high": _("high"), "medium": _("medium"), "low": _("low")}.get(reason.text, _("info"))
    names = " → ".join(zone_name(zone) for zone in reason.zones)
    many, text = reason.n, reason.text
    told: dict[str, Callable[[], str]] = {
        "no_zone": lambda: _("It lies in no zone of the plan: who can reach it is unknown."),
        "isolated": lambda: _("No conduit leads from the Internet to its zone, by any way."),
        "hops": lambda: ngettext(
            "%(num)d boundary from the Internet", "%(num)d boundaries from the Internet", many
        ) + _(" by way of %(way)s (conduit %(conduit)s).", way=names, conduit=text),
        "neighbours": lambda: ngettext("%(num)d zone may reach it", "%(num)d zones may reach it", many)
        + _(": %(zones)s.", zones=", ".join(zone_name(zone) for zone in reason.zones)),
        "open_admission": lambda: _("Any device may appear in its zone."),
        "clear_text": lambda: _("Answers on protocols in the clear: %(services)s.", services=text),
        "unauthenticated": lambda: _("Answers on protocols that ask for no password: %(services)s.", services=text),
        "stranger": lambda: _("It was never registered, in a zone where only registered devices may be."),
        "exploited": lambda: ngettext(
            "It is affected by %(num)d vulnerability that is being exploited (KEV).",
            "It is affected by %(num)d vulnerabilities that are being exploited (KEV).", many,
        ),
        "flawed": lambda: ngettext(
            "It is affected by %(num)d vulnerability.", "It is affected by %(num)d vulnerabilities.", many
        ),
        "exploited_perhaps": lambda: ngettext(
            "It is possibly affected by %(num)d vulnerability that is being exploited (KEV).",
            "It is possibly affected by %(num)d vulnerabilities that are being exploited (KEV).", many,
        ),
        "perhaps": lambda: ngettext(
            "It is possibly affected by %(num)d vulnerability.", "It is possibly affected by %(num)d vulnerabilities.", many
        ),
        "software": lambda: ngettext(
            "%(num)d entry of its software is known and compared with the advisories.",
            "%(num)d entries of its software are known and compared with the advisories.", many,
        ),
        "patches_unknown": lambda: _("Patch level and end of life are unknown: the inventory does not hold its software."),
        "no_devices": lambda: _("No device of this zone is known: its weaknesses are unknown."),
        "weakest": lambda: ngettext(
            "The weakest tenth of %(num)d device counts.", "The weakest tenth of %(num)d devices counts.", many
        ),
        "devices_unknown": lambda: ngettext(
            "Nothing is known of %(num)d device.", "Nothing is known of %(num)d devices.", many
        ),
        "alerts": lambda: ngettext("%(num)d open alert of level", "%(num)d open alerts of level", many) + f" {level}.",
        "incidents": lambda: ngettext("%(num)d open incident concerns it.", "%(num)d open incidents concern it.", many),
        "indicators": lambda: ngettext(
            "Its address is an indicator of %(num)d open incident.",
            "Its address is an indicator of %(num)d open incidents.", many,
        ),
        "quiet": lambda: ngettext(
            "Nothing was open within %(num)d day; that is not zero.",
            "Nothing was open within %(num)d days; that is not zero.", many,
        ),
        "own": lambda: _("Importance %(n)d of 5 in the inventory.", n=many),
        "of_zone": lambda: _("Importance %(n)d of 5, that of its zone %(zone)s.", n=many, zone=names),
        "unknown": lambda: _("Its importance is unknown."),
    }  # fmt: skip
    return told[reason.code]() if reason.code in told else reason.code
