"""Software of demo devices and a small set of advisories about real vulnerabilities, in our own words.

Facts only: CVE number, product, range of versions, days of KEV. Which device has what is made up. They go through the same
importers as a city's own lists.
"""

from __future__ import annotations

from typing import Any

import orjson

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.advisories import intake
from operations.advisories.matching import AdvisoryMatcher
from operations.software import service as software

_WHO = Principal(0, "演示分析员", "", "analyst")
_SOFTWARE = """asset,vendor,product,version,scheme
portal-web-01,Apache,HTTP Server,2.4.49,generic
portal-web-02,Apache,HTTP Server,2.4.58,generic
portal-app-01,Apache,log4j-core,2.14.1,generic
oa-web-01,Apache,log4j-core,2.17.1,generic
oa-web-01,Apache,Tomcat,9.0.80,generic
app-api-01,Apache,ActiveMQ,5.15.10,generic
app-api-02,Apache,ActiveMQ,5.18.3,generic
vpn-edge-01,Fortinet,FortiOS,7.2.3,generic
gw-mobile-01,Fortinet,FortiOS,,generic
tra-cam-01,Hikvision,Security cameras web server,,generic
tra-cam-02,Hikvision,Security cameras web server,,generic
k8s-node-01,,openssh-server,1:9.2p1-2+deb12u2,dpkg
ops-jump-01,OpenBSD,OpenSSH,9.6p1,generic
wtr-hist-01,OpenSSL,OpenSSL,1.0.1e,generic
hv-01,,polkitd,0.105-33,dpkg
data-node-01,Tukaani,xz,5.4.1,generic
"""
_Listed = tuple[str, str, str, str, str, str, bool]
_KEV: tuple[_Listed, ...] = (
    ("CVE-2014-0160", "OpenSSL", "OpenSSL", "OpenSSL 心跳扩展越界读取（心脏滴血）", "2022-05-04", "2022-05-25", False),
    ("CVE-2021-4034", "Red Hat", "Polkit", "polkit pkexec 本地提权", "2022-06-27", "2022-07-18", False),
    ("CVE-2021-36260", "Hikvision", "Security cameras web server", "摄像机 Web 服务命令注入", "2022-01-10", "2022-01-24", False),
    ("CVE-2021-41773", "Apache", "HTTP Server", "Apache HTTP Server 路径穿越", "2021-11-03", "2021-11-17", False),
    ("CVE-2021-44228", "Apache", "Log4j2", "Log4j2 JNDI 远程代码执行", "2021-12-10", "2021-12-24", True),
    ("CVE-2023-46604", "Apache", "ActiveMQ", "ActiveMQ OpenWire 反序列化远程代码执行", "2023-11-02", "2023-11-23", True),
    ("CVE-2024-21762", "Fortinet", "FortiOS", "FortiOS SSL VPN 越界写入", "2024-02-09", "2024-02-16", True),
)
_Bounds = tuple[str, str]
_RANGES: tuple[tuple[str, str, float, tuple[_Bounds, ...]], ...] = (
    ("CVE-2014-0160", "openssl:openssl", 7.5, (("1.0.1", "1.0.1g"),)),
    ("CVE-2021-4034", "polkit_project:polkit", 7.8, (("", "121"),)),
    ("CVE-2021-41773", "apache:http_server", 7.5, (("2.4.49", "2.4.50"),)),
    ("CVE-2021-44228", "apache:log4j", 10.0, (("2.0.1", "2.3.1"), ("2.4.0", "2.12.2"), ("2.13.0", "2.15.0"))),
    ("CVE-2023-46604", "apache:activemq", 9.8, (("", "5.15.16"), ("5.16.0", "5.16.7"), ("5.17.0", "5.17.6"), ("5.18.0", "5.18.3"))),
    ("CVE-2024-21762", "fortinet:fortios", 9.8, (("7.0.0", "7.0.14"), ("7.2.0", "7.2.7"), ("7.4.0", "7.4.3"))),
    ("CVE-2024-3094", "tukaani:xz", 10.0, (("5.6.0", "5.6.2"),)),
    ("CVE-2024-6387", "openbsd:openssh", 8.1, (("8.6", "9.8"),)),
)


def begin_with_advisories(database: Database) -> None:
    """Lists of software, the advisories, and a first round of matching; in a platform whose zone plan is the city's."""
    with database.write() as session:
        software.take_in(session, _WHO.actor, "csv", _SOFTWARE)
        for document in (_kev(), _nvd()):
            intake.take_in(session, _WHO, orjson.dumps(document))
    AdvisoryMatcher(database)()


def _kev() -> dict[str, Any]:
    names = ("cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "dueDate")
    listed = [
        dict(zip(names, one[:6], strict=True))
        | {
            "knownRansomwareCampaignUse": "Known" if one[6] else "Unknown",
            "requiredAction": "按厂商通告升级或采取缓解措施；无法处置的停止使用。",
        }
        for one in _KEV
    ]
    return {"catalogVersion": "demo", "dateReleased": "2026-11-01", "count": len(listed), "vulnerabilities": listed}


def _nvd() -> dict[str, Any]:
    return {"format": "NVD_CVE", "version": "2.0", "vulnerabilities": [{"cve": _cve(*one)} for one in _RANGES]}


def _cve(key: str, product: str, score: float, ranges: tuple[_Bounds, ...]) -> dict[str, Any]:
    matches = [
        {"vulnerable": True, "criteria": f"cpe:2.3:a:{product}:*:*:*:*:*:*:*:*", "versionEndExcluding": high}
        | ({"versionStartIncluding": low} if low else {})
        for low, high in ranges
    ]
    return {
        "id": key,
        "metrics": {"cvssMetricV31": [{"cvssData": {"baseScore": score}}]},
        "configurations": [{"nodes": [{"operator": "OR", "negate": False, "cpeMatch": matches}]}],
    }
