"""The city of the incidents' tests, with alerts of two days, a warning's receipts, tickets, and the means to make reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.detection import Detection
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.audit.schema import Actor
from operations.incidents import service as incidents
from operations.incidents.schema import NewIncident
from operations.reports.making import Means
from operations.tickets import service as tickets
from operations.tickets.schema import Draft
from tests.operations.incidents.conftest import Clock, city, time

__all__ = ["city", "time"]
MASTER = MasterKey(b"0123456789abcdef")
DUTY = Principal(1, "alice", "", "duty", address="192.0.2.1")
HOSTILE = '=HYPERLINK("http://x") <script>alert(1)</script> {{7*7}} #import "x" $x$'


@pytest.fixture
def means() -> Means:
    return Means(None, MASTER, "兰亭市安全运营中心")


@pytest.fixture
def busy(city: Database, time: Clock, make: Callable[..., Detection]) -> Database:
    """25 November in Beijing is 24T16:00Z to 25T16:00Z: alerts on both sides of both borders."""

    def alert(moment: str, **more: str) -> Detection:
        return make(time=moment, rule=f"rule-{moment}", **more)

    water, cloud = {"destination__zone": "water-ot"}, {"destination__zone": "gov-cloud"}
    found = [
        alert("2026-11-24T15:59:59.999999Z", level="low", **cloud),
        alert("2026-11-24T16:00:00.000000Z", level="critical", name=HOSTILE, **water),
        alert("2026-11-25T03:00:00.000000Z", level="high", engine="zone", **water),
        alert("2026-11-25T15:59:59.999999Z", level="high", **cloud),
        alert("2026-11-25T16:00:00.000000Z", level="medium", **cloud),
    ]
    with city.write() as session:
        alerts.record_detections(session, found)
    with city.write() as session:
        for zone in ("water-ot", "gov-cloud"):
            wanted = NewIncident("x", origin="hotline", severity="high", zones=(zone,), detected_at="2026-11-25T02:00:00.000000Z")
            incidents.create_incident(session, Actor("alice"), wanted)
    time.now = "2026-11-25T05:00:00.000000Z"
    with city.write() as session:
        tickets.create(session, DUTY, Draft("notification", "请签收", "正文", "medium", "水务局"))
    time.now = "2026-11-26T04:00:00.000000Z"
    return city
