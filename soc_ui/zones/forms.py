"""Forms of zones and conduits: what a person typed, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kernel.event import SHANGHAI
from kernel.zones.plan import Conduit, Zone
from operations.errors import Invalid
from soc_ui import times
from soc_ui.locale import _

_PLAIN = ("name", "name_en", "layer", "owner", "internet", "admission")


def words(text: str) -> tuple[str, ...]:
    """The entries of a text with one a line, or separated by blanks or commas."""
    return tuple(dict.fromkeys(re.findall(r"[^\s,，、;；]+", text)))


def zone_from(form: Mapping[str, str], zone_id: str) -> Zone:
    """The zone of a form. Raises Invalid where a number is none; the rest is for the service to judge."""
    plain = {name: form.get(name, "").strip() for name in _PLAIN}
    return Zone(
        id=zone_id,
        importance=_number(form.get("importance", "3"), "importance"),
        ranges=words(form.get("ranges", "")),
        vlans=tuple(_number(text, "vlans") for text in words(form.get("vlans", ""))),
        sensors=words(form.get("sensors", "")),
        **plain,
    )


def zone_values(zone: Zone) -> dict[str, str]:
    """What the fields of the form show for a zone."""
    values = {name: str(getattr(zone, name)) for name in _PLAIN}
    lists = {"ranges": "\n".join(zone.ranges), "vlans": ", ".join(map(str, zone.vlans)), "sensors": "\n".join(zone.sensors)}
    return {"id": zone.id, "importance": str(zone.importance), **values, **lists}


def conduit_from(form: Mapping[str, str], conduit_id: str) -> Conduit:
    """The conduit of a form. Moments without a zone are those of Beijing."""
    return Conduit(
        id=conduit_id,
        sources=words(form.get("sources", "")),
        targets=words(form.get("targets", "")),
        services=words(form.get("services", "")),
        reason=form.get("reason", "").strip(),
        since=_moment(form.get("since", "")),
        until=_moment(form.get("until", "")),
        approver=form.get("approver", "").strip(),
    )


def conduit_values(conduit: Conduit) -> dict[str, str]:
    """What the fields of the form show for a conduit."""
    return {
        "id": conduit.id,
        "sources": "\n".join(conduit.sources),
        "targets": "\n".join(conduit.targets),
        "services": "\n".join(conduit.services),
        "reason": conduit.reason,
        "since": _local(conduit.since),
        "until": _local(conduit.until),
        "approver": conduit.approver,
    }


def _moment(text: str) -> str:
    """A local moment of the form as ISO 8601 with its zone; what cannot be read goes on as it is, to be refused with the rest."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?)?", text.strip())
    return f"{match[1]}T{match[2] or '00:00'}{match[3] or ':00'}+08:00" if match else text.strip()


def _local(text: str) -> str:
    """A moment as the form shows it: Beijing time, to the minute."""
    moment = times.as_datetime(text)
    if moment is None:
        return text
    try:
        return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    except OverflowError:
        return text


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text.strip()):
        raise Invalid(_("%(text)s is no number", text=text[:40]), field=name)
    return int(text)
