"""Access lines of reverse proxies that use their own formats → ECS: HAProxy (HTTP log), nginx proxy manager.

Sources: HAProxy Configuration Manual, section 8.2.3 "HTTP log format"; Nginx Proxy Manager's ``log-proxy.conf``.
"""

from __future__ import annotations

import re

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from kernel.event import Event

_HAPROXY = re.compile(
    r"(?P<ip>[0-9A-Fa-f.:]+):(?P<port>\d+) \[(?P<stamp>[^\]]+)\] (?P<frontend>\S+) (?P<backend>\S+) "
    r"[-\d/+]+ (?P<status>\d{3}|-1) \+?(?P<size>\d+) "
    r"\S+ \S+ \S{4} [\d/+]+ [\d/]+ (?:\{[^}]*\} )*\"(?P<method>[A-Z]+) (?P<url>\S+)(?: HTTP/(?P<version>[\d.]+))?\"?"
)
_PROXY_MANAGER = re.compile(
    r"\[(?P<stamp>[^\]]+)\] (?:- )?(?:(?:\S+) )?(?P<status>\d{3}|-) - (?P<method>[A-Z]+) "
    r"(?P<scheme>https?) (?P<host>\S+) \"(?P<url>[^\"]*)\" "
    r"\[Client (?P<ip>[^\]]+)\] \[Length (?P<size>\d+)\] \[Gzip [^\]]*\](?: \[Sent-to [^\]]*\])? "
    r"\"(?P<agent>[^\"]*)\" \"(?P<referrer>[^\"]*)\""
)


def match(text: str) -> re.Match[str] | None:
    """The parts of a line of one of the formats, or None."""
    return _HAPROXY.match(text) or _PROXY_MANAGER.match(text)


def fill(event: Event, parts: re.Match[str]) -> tuple[str, str]:
    """Fill who, when and how from the parts; returns the request target and the status, which all web formats treat alike."""
    groups = parts.groupdict()
    ecs.put(event, "@timestamp", clock.clf(groups["stamp"]))
    ecs.put_ip(event, "source", groups["ip"])
    ecs.put_port(event, "source.port", groups.get("port"))
    event["http.request.method"] = groups["method"]
    ecs.put(event, "http.version", groups.get("version"))
    ecs.put(event, "http.response.bytes", ecs.as_int(groups["size"]))
    ecs.put(event, "url.scheme", groups.get("scheme"))
    ecs.put(event, "url.domain", groups.get("host"))
    ecs.put(event, "user_agent.original", groups.get("agent"))
    ecs.put(event, "http.request.referrer", groups.get("referrer"))
    ecs.put(event, "service.name", groups.get("backend"))
    return groups["url"], groups["status"]
