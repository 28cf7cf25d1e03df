"""Shapes of zones, conduits, crossings and assets in requests and answers."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE

from kernel.zones.limits import LONGEST, MOST
from kernel.zones.plan import LAYERS
from operations.assets.listing import SORTS
from operations.assets.models import STATUSES
from operations.assets.register import MAX_NOTE
from operations.zones.schema import MOST_CHANGES
from soc_ui.api.schemas import Moment, Paging, Strict, String

STATES = ("in-force", "expiring", "expired", "pending")
_ZONE, _CONDUIT, _ASSET = LONGEST["zone"], LONGEST["conduit"], LONGEST["asset"]
MOST_PLAN = 3 * 1024 * 1024


def _texts(most: int, longest: int, description: str) -> List:
    return List(
        String(validate=Length(1, longest)), load_default=[], validate=Length(max=most), metadata={"description": description}
    )


class PreconditionIn(Schema):
    """Which version a PUT was decided on; the other headers of a request are none of our business."""

    class Meta:
        unknown = EXCLUDE

    if_match = String(data_key="If-Match", load_default="", metadata={"description": "ETag to change that version, * any version"})
    if_none_match = String(data_key="If-None-Match", load_default="", metadata={"description": "* to make a new one"})


class PlanPreconditionIn(Schema):
    """Which revision of the plan a PUT was decided on."""

    class Meta:
        unknown = EXCLUDE

    if_match = String(
        data_key="If-Match",
        load_default="",
        metadata={"description": "ETag of the plan it was decided on, * for any; needed unless the plan is only checked"},
    )


class ZoneIn(Strict):
    name = String(required=True, validate=Length(1, _ZONE["name"]))
    name_en = String(load_default="", validate=Length(max=_ZONE["name_en"]))
    layer = String(required=True, validate=OneOf(list(LAYERS)))
    owner = String(load_default="", validate=Length(max=_ZONE["owner"]))
    importance = Integer(load_default=3, validate=Range(1, 5))
    ranges = _texts(MOST["zone"]["ranges"], _ZONE["ranges"], "IPv4 and IPv6 networks; where zones nest, the narrower one decides")
    vlans = List(Integer(validate=Range(1, 4094)), load_default=[], validate=Length(max=MOST["zone"]["vlans"]))
    sensors = _texts(MOST["zone"]["sensors"], _ZONE["sensors"], "Names of sensors that tell the zone where an address cannot")
    internet = String(load_default="conduit", validate=OneOf(["forbidden", "conduit"]))
    admission = String(load_default="open", validate=OneOf(["open", "registered"]))


class ZoneOut(Schema):
    id = String(required=True)
    name = String(required=True)
    name_en = String(required=True)
    layer = String(required=True, validate=OneOf(list(LAYERS)))
    owner = String(required=True)
    importance = Integer(required=True)
    ranges = List(String(), required=True)
    vlans = List(Integer(), required=True)
    sensors = List(String(), required=True)
    internet = String(required=True)
    admission = String(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ZonesOut(Schema):
    zones = List(Nested(ZoneOut), required=True)


class ConduitListIn(Strict):
    zone = String(load_default="", validate=Length(max=64), metadata={"description": "Only those from or to this zone"})
    state = String(load_default="", validate=OneOf(["", *STATES]))


class ConduitIn(Strict):
    sources = List(
        String(validate=Length(1, _CONDUIT["sources"])),
        required=True,
        data_key="from",
        validate=Length(1, MOST["conduit"]["sources"]),
        metadata={"description": "Zone ids, internet, or * for every zone of the plan"},
    )
    targets = List(
        String(validate=Length(1, _CONDUIT["targets"])),
        required=True,
        data_key="to",
        validate=Length(1, MOST["conduit"]["targets"]),
    )
    services = List(
        String(validate=Length(1, _CONDUIT["services"])),
        required=True,
        validate=Length(1, MOST["conduit"]["services"]),
        metadata={"description": "Names such as https, tcp/8080, udp/5000-5010, or any"},
    )
    reason = String(load_default="", validate=Length(max=_CONDUIT["reason"]))
    since = Moment(load_default="", metadata={"description": "In force from; empty = from ever"})
    until = Moment(load_default="", metadata={"description": "In force before; empty = no end"})
    approver = String(load_default="", validate=Length(max=_CONDUIT["approver"]))


class ConduitOut(Schema):
    id = String(required=True)
    sources = List(String(), required=True, data_key="from")
    targets = List(String(), required=True, data_key="to")
    services = List(String(), required=True)
    reason = String(required=True)
    since = String(required=True)
    until = String(required=True)
    approver = String(required=True)
    state = String(required=True, validate=OneOf(STATES))
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ConduitsOut(Schema):
    conduits = List(Nested(ConduitOut), required=True)


class CrossingsIn(Strict):
    start = Moment(load_default="")
    end = Moment(load_default="")


class CrossingOut(Schema):
    source = String(required=True, data_key="from", metadata={"description": "Zone of the client"})
    target = String(required=True, data_key="to", metadata={"description": "Zone of the server"})
    permitted = Integer(required=True)
    denied = Integer(required=True)
    expired = Integer(required=True)


class CrossingsOut(Schema):
    crossings = List(Nested(CrossingOut), required=True, metadata={"description": "Most events first"})
    incomplete = Boolean(required=True, metadata={"description": "Only the largest crossings of each verdict are listed"})


class PlanOut(Schema):
    plan = String(required=True, metadata={"description": "YAML of docs/zones.md, its revision at its head"})


class PlanIn(Strict):
    plan = String(required=True, validate=Length(1, MOST_PLAN))
    replace = Boolean(load_default=False, metadata={"description": "Remove zones and conduits that the plan does not name"})
    check = Boolean(load_default=False, metadata={"description": "Only tell what would be done, change nothing"})


class PlanChangeOut(Schema):
    act = String(required=True, validate=OneOf(["remove", "change", "make"]))
    kind = String(required=True, validate=OneOf(["zone", "conduit", "asset"]))
    id = String(required=True)
    changed = List(
        String(), required=True, attribute="fields", data_key="fields", metadata={"description": "What a change changes"}
    )


class ImportedOut(Schema):
    zones = Integer(required=True, metadata={"description": "Named by the plan"})
    conduits = Integer(required=True)
    assets = Integer(required=True)
    made = Integer(required=True, metadata={"description": "Zones, conduits and assets that were not there"})
    changed = Integer(required=True)
    removed = Integer(required=True)
    changes = List(
        Nested(PlanChangeOut), required=True, metadata={"description": f"Removals first, at most {MOST_CHANGES} of them"}
    )
    revision = Integer(required=True, metadata={"description": "Of the plan afterwards"})


class AssetListIn(Paging):
    status = String(load_default="", validate=OneOf(["", *STATUSES]))
    zone = String(load_default="", validate=Length(max=64))
    kind = String(load_default="", validate=Length(max=64))
    bureau = String(load_default="", validate=Length(max=128))
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words in id, name, addresses, MACs, names"})
    sort = String(
        load_default="last_seen",
        validate=OneOf([sign + name for name in SORTS for sign in ("", "-")]),
        metadata={"description": "With - the other way round"},
    )
    count = Boolean(load_default=False, metadata={"description": "Also count all that match, up to 10,000"})


class AssetIn(Strict):
    name = String(load_default="", validate=Length(max=_ASSET["name"]))
    kind = String(load_default="", validate=Length(max=_ASSET["kind"]))
    addresses = _texts(MOST["asset"]["addresses"], _ASSET["addresses"], "IPv4 and IPv6 addresses")
    macs = _texts(MOST["asset"]["macs"], _ASSET["macs"], "02:4c:00:60:00:65 or 02-4C-00-60-00-65")
    bureau = String(load_default="", validate=Length(max=_ASSET["bureau"]))
    importance = Integer(load_default=0, validate=Range(0, 5), metadata={"description": "0 = that of its zone"})
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class AssetStatusIn(Strict):
    status = String(required=True, validate=OneOf(["registered", "retired"]))
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class AssetOut(Schema):
    key = String(required=True, metadata={"description": "What events and people call it"})
    name = String(required=True)
    kind = String(required=True)
    status = String(required=True, validate=OneOf(STATUSES))
    zone = String(required=True)
    bureau = String(required=True)
    importance = Integer(required=True)
    addresses = List(String(), required=True)
    macs = List(String(), required=True)
    names = List(String(), required=True)
    services = List(String(), required=True)
    note = String(required=True)
    first_seen = String(required=True, metadata={"description": "Empty: never seen"})
    last_seen = String(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class AssetPageOut(Schema):
    assets = List(Nested(AssetOut), required=True)
    next_cursor = String(required=True, metadata={"description": "Empty at the end"})
    total = Integer(allow_none=True)
