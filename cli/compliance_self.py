"""The platform as an MLPS system of its own: what it consists of, and by which ways it is looked at."""

from __future__ import annotations

from compliance.probing import service as probing
from compliance.probing.schema import TargetDraft
from compliance.systems import objects, service
from compliance.systems.applicability import WHOLE
from compliance.systems.schema import ObjectDraft, SystemDraft, SystemFilter
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.zones import service as zones

SELF = "莲盾 安全运营平台"
LEVEL = "S3A3"
_DESCRIPTION = "本平台自身：控制台、采集、检测、处置与合规各进程，以及所在主机。 This platform itself, and the machine it runs on."
_OBJECTS = (
    ("management_platform", "莲盾 Liandun", "platform"),
    ("application", "莲盾 Liandun", "platform"),
    ("data", "状态库、事件与证据 State, events, evidence", "platform"),
    ("server_os", "平台主机 Host of the platform", "local"),
)
"""Kind, name, and way in of each object; the system as a whole is looked at by the way platform, too."""


def set_up(database: Database, who: Principal, *, after: float = 0) -> bool:
    """Enter system, objects and targets, looked at ``after`` so many seconds; False where the system is there already (it stays
    as people have made it)."""
    with database.write() as session:
        there = service.list_systems(session, SystemFilter(text=SELF), limit=service.MAX_PAGE).systems
        if any(one.name == SELF for one in there):
            return False
        own = tuple(one.zone.id for one in zones.list_zones(session) if one.zone.layer == "operations")
        draft = SystemDraft(SELF, LEVEL, description=_DESCRIPTION, zones=own[: service.MAX_ZONES])
        system = service.create_system(session, who, draft)
        for kind, name, way in _OBJECTS:
            made = objects.add_object(session, who, system.id, ObjectDraft(kind, name, importance=4))
            probing.add(session, who, TargetDraft(system.id, made.id, way), after=after)
        probing.add(session, who, TargetDraft(system.id, WHOLE, "platform"), after=after)
    return True
