"""A system with a few objects, and short ways to say something about it."""

from __future__ import annotations

from typing import Any

from compliance.assessment import record as recording
from compliance.assessment.deciding import Decision, decide
from compliance.assessment.schema import Recorded
from compliance.systems import objects, service
from compliance.systems.schema import ObjectDraft, SystemDraft
from operations.audit.schema import Actor
from tests.operations.organisations_city import WATER, City

PASSWORDS, TWO_FACTORS, MAIL, ROOM_DOOR = "8.1.4.1.a", "8.1.4.1.d", "8.1.3.4.b", "8.1.1.2"
PROBE = Actor("probe host.login_defs")


class SmallSystem:
    """S3A3 of the water authority with two hosts, a database and a room."""

    def __init__(self, city: City) -> None:
        self.city, self.database = city, city.database
        self.who, _ = city.as_("planner")
        with self.database.write() as session:
            draft = SystemDraft("供水调度", "S3A3", organisation=WATER, zones=("water-ot",))
            self.id = service.create_system(session, self.who, draft).id
            add = objects.add_object
            self.host = add(session, self.who, self.id, ObjectDraft("server_os", "h1")).id
            self.other = add(session, self.who, self.id, ObjectDraft("server_os", "h2")).id
            self.base = add(session, self.who, self.id, ObjectDraft("database", "d1")).id
            self.room = add(session, self.who, self.id, ObjectDraft("room", "r1")).id

    def probe(self, verdict: str, item: str = PASSWORDS, target: int | None = None, **more: Any) -> Recorded:
        """A probe's word on the first host, or another object."""
        target = self.host if target is None else target
        more = {"reason": "PASS_MIN_LEN", **more}
        with self.database.write() as session:
            return recording.record(session, PROBE, self.id, item, target, verdict, source="probe", **more)

    def person(self, verdict: str, item: str = PASSWORDS, target: int | None = None, **more: Any) -> Recorded:
        """The security administrator's word."""
        target = self.host if target is None else target
        more = {"reason": "现场核查", **more}
        with self.database.write() as session:
            return recording.record(session, self.who.actor, self.id, item, target, verdict, source="person", **more)

    def decide(self, kind: str, subject: str, value: str, reason: str = "理由", **more: Any) -> Decision:
        """A decision."""
        with self.database.write() as session:
            return decide(session, self.who, self.id, kind, subject, value, reason, **more)
