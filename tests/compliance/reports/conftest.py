"""The small system with problems of every kind, judged by probes and people."""

from __future__ import annotations

import pytest

from tests.compliance.assessment.small_system import MAIL, ROOM_DOOR, TWO_FACTORS, SmallSystem
from tests.operations.organisations_city import City

HOSTILE = '=HYPERLINK("http://x") <script>alert(1)</script> {{7*7}} #import "x" $x$'


@pytest.fixture
def small(city: City) -> SmallSystem:
    made = SmallSystem(city)
    made.probe("met")
    made.probe("not_met", target=made.other, reason=HOSTILE, evidence="ab" * 32, reproduce="grep PASS_MIN_LEN /etc/login.defs")
    made.person("partly", target=made.base)
    made.person("not_met", TWO_FACTORS)
    made.person("not_met", ROOM_DOOR, made.room)
    made.person("not_applicable", MAIL, 0, reason="没有邮件服务")
    return made
