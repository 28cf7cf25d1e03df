"""A small feed of indicators for the demo city: what its attackers use, and some values that nobody meets. All are made up:
documentation addresses (RFC 5737, RFC 3849) and reserved names (RFC 2606)."""

from __future__ import annotations

from kernel.db import Database
from operations.audit.schema import Actor
from operations.indicators import service
from operations.indicators.schema import Candidate

ORIGIN = "演示情报源"
_FEED = (
    ("203.0.113.90", 90, "矿池服务器"),
    ("*.pool.example", 85, "矿池域名"),
    ("203.0.113.66", 80, "数据外传落地服务器"),
    ("2001:db8:bad::66", 80, "数据外传落地服务器（IPv6）"),
    ("*.exfil-lanting.example", 95, "DNS 隧道域名"),
    ("203.0.113.88", 60, "异常拉取视频流的地址"),
    ("203.0.113.240/29", 50, "扫描团伙常用网段"),
    ("hxxps://update[.]patch-center[.]example/kb/install.ps1", 75, "仿冒补丁下载链接"),
    ("9f2b4c8e6a1d3f5079b8c2e4d6f8a0b1c3d5e7f9a1b3c5d7e9f0a2b4c6d8e0f2", 90, "勒索软件样本（演示值）"),
    ("notice@gov-mail.example", 70, "钓鱼发件人"),
)


def begin_with_indicators(database: Database) -> None:
    """The feed, in a platform whose zone plan is the city's."""
    found = [Candidate(value, confidence=confidence, tlp="amber", note=note) for value, confidence, note in _FEED]
    service.bring_in(database, Actor("演示分析员"), found, origin=ORIGIN, file="demo")
