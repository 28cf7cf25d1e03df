"""The form of a device: what a person typed, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kernel.zones.plan import Asset
from operations.assets.schema import AssetRecord
from operations.errors import Invalid
from soc_ui.locale import _
from soc_ui.zones.forms import words

MAX_NAME, MAX_SHORT = 256, 128
KINDS = (
    "server",
    "workstation",
    "database",
    "plc",
    "camera",
    "sensor",
    "gateway",
    "switch",
    "firewall",
    "printer",
    "phone",
    "other",
)
"""Suggestions; any other word is taken too."""


def asset_from(form: Mapping[str, str]) -> Asset:
    """The device of a form. Raises Invalid where a value is none or too long; the rest is for the service to judge."""
    limits = {"name": MAX_NAME, "kind": 64, "bureau": MAX_SHORT}
    plain = {name: form.get(name, "").strip() for name in limits}
    for name, most in limits.items():
        if len(plain[name]) > most:
            raise Invalid(_("At most %(n)d characters.", n=most), field=name)
    number = form.get("importance", "0").strip() or "0"
    if not re.fullmatch(r"-?\d{1,9}", number):
        raise Invalid(_("%(text)s is no number", text=number[:40]), field="importance")
    return Asset(
        id=form.get("id", "").strip(),
        addresses=words(form.get("addresses", "")),
        macs=words(form.get("macs", "")),
        importance=int(number),
        **plain,
    )


def asset_values(record: AssetRecord) -> dict[str, str]:
    """What the fields of the form show for a device. For one that was only seen, its host name is the suggestion."""
    return {
        "id": record.key,
        "name": record.name or (record.names[0] if record.names else ""),
        "kind": record.kind,
        "bureau": record.bureau,
        "importance": str(record.importance),
        "addresses": "\n".join(record.addresses),
        "macs": "\n".join(record.macs),
        "note": record.note,
    }


def asset_of(record: AssetRecord, *, kind: str = "", bureau: str = "") -> Asset:
    """A device that was seen, as it would be registered; ``kind`` and ``bureau`` fill in what it has not."""
    return Asset(
        id=record.key,
        name=record.name or (record.names[0] if record.names else ""),
        kind=record.kind or kind,
        addresses=tuple(record.addresses),
        macs=tuple(record.macs),
        bureau=record.bureau or bureau,
        importance=record.importance,
    )
