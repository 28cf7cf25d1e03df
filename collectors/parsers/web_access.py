"""Web and proxy logs → ECS: Common/Combined Log Format, nginx and Apache error logs, IIS W3C extended, Squid native.

Sources: httpd mod_log_config, nginx ngx_http_log_module, W3C "Extended Log File Format" (WD-logfile-960323), Squid access.log.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from collectors.parsers import clock, reverse_proxy
from collectors.parsers import fields as ecs
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event
from kernel.record import RawRecord

_QUOTED: Final = r"\"((?:[^\"\\]|\\.)*)\""
_COMBINED = re.compile(
    rf"""(?:([\w.\-]++(?::\d+)?)\ (?=[0-9A-Fa-f]*+[.:][0-9A-Fa-f.:]++\ ))?  # virtual host (vhost_combined): an address follows
        ([0-9A-Fa-f:.]++|[\w.\-]++)\ +           # client
        (\S+)\ ([^\[]{{0,256}}?)\ {{0,9}}           # identity, user
        \[([^\]]{{20,40}})\]\ +                # time
        {_QUOTED}\ +                           # request line
        (\d{{3}}|-)\ +(\d+|-)                  # status, bytes
        (?:\ +{_QUOTED}\ +{_QUOTED})?          # referrer, user agent
    """,
    re.VERBOSE,
)
_REQUEST = re.compile(r"([A-Z][A-Z_-]{1,30}) (\S.*?)(?: HTTP/(\d(?:\.\d)?))?$")
_NGINX_ERROR = re.compile(r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w+)\] (\d+)#(\d+): (?:\*\d+ )?(.*)$", re.DOTALL)
_NGINX_FIELD = re.compile(r", (client|server|request|host|referrer|upstream): (\"(?:[^\"\\]|\\.)*\"|[^,]*)")
_APACHE_ERROR = re.compile(r"\[\w{3} (\w{3} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[(?:([\w-]*):)?(\w+)\] (.*)$", re.DOTALL)
_APACHE_CLIENT = re.compile(r"\[client ([^\]\s]+?)(?::(\d+))?\]")
_SQUID = re.compile(r"(\d{9,10}\.\d{3}) +(\d+) (\S+) ([A-Z_]+)/(\d{3}) (\d+) ([A-Z-]+) (\S+) (\S+) ([A-Z_]+)/(\S+) (\S+)")
_IIS_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ [A-Z][A-Z_]+ /\S*(?: \S+){9,10}$")
_MODULES: Final = (("nginx", "nginx"), ("apache", "apache"), ("httpd", "apache"), ("squid", "squid"))
_IIS_DEFAULT: Final = [
    "date",
    "time",
    "s-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-uri-query",
    "s-port",
    "cs-username",
    "c-ip",
    "cs(User-Agent)",
    "cs(Referer)",
    "sc-status",
    "sc-substatus",
    "sc-win32-status",
    "time-taken",
]
"""Field order of IIS 7 and later when the log's ``#Fields`` line is not at hand."""


def looks_like(text: str) -> bool:
    """True if the text is a line that :func:`parse` reads."""
    return (
        text.startswith("#Fields:")
        or any(shape.match(text) is not None for shape in (_COMBINED, _NGINX_ERROR, _APACHE_ERROR, _SQUID, _IIS_LINE))
        or reverse_proxy.match(text) is not None
    )


def parse(record: RawRecord) -> list[Event]:
    """One line of a web or proxy log.

    A W3C line may bring its ``#Fields:`` directive as a first line of its own in the same record (the file reader does that).
    Raises ParseError for any other shape.
    """
    text = decode(record.raw).strip("\r\n\0 ")
    if text.startswith("#Fields:"):
        directive, _, line = text.partition("\n")
        return [ecs.relate(_w3c(line.strip(), directive[8:].split(), record))]
    event: Event = {"event.kind": "event", "event.original": text}
    if not fill(event, text):
        raise ParseError(
            f"not a web log line at {where(record)}", "expected common, combined, W3C, nginx/Apache error or Squid format"
        )
    put_server(event, record.origin)
    return [ecs.relate(event)]


def fill(event: Event, text: str) -> bool:
    """Fill the event from a web log line (also one carried in syslog); False if it is none."""
    for shape, reader in ((_COMBINED, _combined), (_NGINX_ERROR, _nginx_error), (_APACHE_ERROR, _apache_error), (_SQUID, _squid)):
        match = shape.match(text)
        if match is not None:
            reader(event, match)
            return True
    proxied = reverse_proxy.match(text)
    if proxied is not None:
        target, status = reverse_proxy.fill(event, proxied)
        put_url(event, target)
        _access(event, "web.access", status)
        return True
    if _IIS_LINE.match(text) is not None:
        _w3c_fields(event, dict(zip(_IIS_DEFAULT, text.split(" "), strict=False)))
        return True
    return False


def server_module(name: str) -> str | None:
    """``event.module`` that the name of a log file or program tells: nginx, apache, squid."""
    low = name.lower()
    return next((module for word, module in _MODULES if word in low), None)


def put_server(event: Event, name: str) -> None:
    """``event.module`` by the name of the log file or program; what squid logs in a web server's format is a proxy's log."""
    module = server_module(name)
    if module is not None:
        event.setdefault("event.module", module)
        if module == "squid" and event.get("event.dataset") == "web.access":
            event["event.dataset"] = "proxy.access"


def put_request(event: Event, request: str) -> None:
    """``GET /path?query HTTP/1.1`` → ``http.request.method``, ``url.*``; a malformed line (an exploit, a scan) is kept as
    ``url.original``.
    """
    match = _REQUEST.match(request)
    if match is None:
        ecs.put(event, "url.original", request)
        return
    event["http.request.method"] = match[1]
    ecs.put(event, "http.version", match[3])
    put_url(event, match[2])


def put_url(event: Event, target: str) -> None:
    """``url.original``, ``url.path``, ``url.query``, ``url.extension`` and, of an absolute URL, ``url.domain``, ``url.scheme``."""
    event["url.original"] = target
    try:
        parts = urlsplit(target) if "://" in target else None
        port = parts.port if parts else None
    except ValueError:
        parts, port = None, None
    if parts is not None and parts.hostname:
        event["url.full"] = target
        ecs.put(event, "url.scheme", parts.scheme)
        ecs.put(event, "url.domain", parts.hostname)
        ecs.put(event, "url.port", port)
        path, query = parts.path, parts.query
    else:
        path, _, query = target.partition("?")
    ecs.put(event, "url.path", path)
    ecs.put(event, "url.query", query)
    stem, dot, extension = path.rsplit("/", 1)[-1].rpartition(".")
    if dot and stem and extension.isalnum():
        event["url.extension"] = extension.lower()


def _access(event: Event, dataset: str, status: str) -> None:
    event["event.dataset"] = dataset
    event["event.category"] = ["web"]
    event["event.type"] = ["access"]
    if status.isdigit():
        event["http.response.status_code"] = int(status)
        event["event.outcome"] = "failure" if int(status) >= 400 else "success"
    ecs.network_type(event)


def _combined(event: Event, match: re.Match[str]) -> None:
    vhost, client, _, user, stamp, request, status, size, referrer, agent = match.groups()
    ecs.put_ip(event, "source", client)
    ecs.put(event, "user.name", user)
    ecs.put(event, "@timestamp", clock.clf(stamp))
    put_request(event, request)
    if vhost:
        event.setdefault("url.domain", vhost.partition(":")[0])
    ecs.put(event, "http.response.bytes", ecs.as_int(size))
    ecs.put(event, "http.request.referrer", referrer)
    ecs.put(event, "user_agent.original", agent)
    _access(event, "web.access", status)


def _nginx_error(event: Event, match: re.Match[str]) -> None:
    stamp, level, pid, thread, message = match.groups()
    ecs.put(event, "@timestamp", clock.local(stamp))
    _error(event, "nginx", level, message)
    event["process.pid"], event["process.thread.id"] = int(pid), int(thread)
    known = {name: value.strip('"') for name, value in _NGINX_FIELD.findall(message)}
    ecs.put_ip(event, "source", known.get("client"))
    if "request" in known:
        put_request(event, known["request"])
    ecs.put(event, "url.domain", known.get("host") or known.get("server", "").replace("_", ""))
    ecs.put(event, "http.request.referrer", known.get("referrer"))
    user = re.match(r"user \"([^\"]*)\"", message)
    if user is not None:
        _login_failure(event, user[1])


def _apache_error(event: Event, match: re.Match[str]) -> None:
    stamp, module, level, message = match.groups()
    ecs.put(event, "@timestamp", clock.bsd(stamp, 0))
    _error(event, "apache", level, message)
    ecs.put(event, "log.logger", module)
    client = _APACHE_CLIENT.search(message)
    if client is not None:
        ecs.put_ip(event, "source", client[1])
        ecs.put_port(event, "source.port", client[2])
    user = re.search(r"user (\S+)(?: not found|: authentication failure)", message)
    if user is not None:
        _login_failure(event, user[1])


def _error(event: Event, module: str, level: str, message: str) -> None:
    event["event.dataset"] = "web.error"
    event["event.module"] = module
    event["event.category"], event["event.type"] = ["web"], ["error"]
    event["log.level"] = level
    event["message"] = message


def _login_failure(event: Event, user: str) -> None:
    event["event.category"], event["event.type"] = ["web", "authentication"], ["start"]
    event["event.action"], event["event.outcome"] = "login", "failure"
    event["user.name"] = user


def _squid(event: Event, match: re.Match[str]) -> None:
    stamp, millis, client, result, status, size, method, url, user, _, peer, mime = match.groups()
    ecs.put(event, "@timestamp", clock.epoch(stamp))
    ecs.put_ip(event, "source", client)
    ecs.put_ip(event, "destination", peer)
    event["event.action"] = result.lower()
    event["event.duration"] = int(millis) * 1_000_000
    event["http.request.method"] = method
    put_url(event, url)
    if method == "CONNECT":
        ecs.put(event, "url.domain", url.rpartition(":")[0].strip("[]"))
    event["http.response.bytes"] = int(size)
    ecs.put(event, "user.name", user)
    ecs.put(event, "http.response.mime_type", mime)
    _access(event, "proxy.access", status)


def _w3c(line: str, names: list[str], record: RawRecord) -> Event:
    values = line.split()
    if not names or len(values) != len(names):
        raise ParseError(f"W3C line with {len(values)} values for {len(names)} fields at {where(record)}")
    event: Event = {"event.kind": "event", "event.original": line}
    _w3c_fields(event, dict(zip(names, values, strict=True)))
    return event


def _w3c_fields(event: Event, line: dict[str, str]) -> None:
    known = {name: value for name, value in line.items() if value != "-"}
    event["event.module"] = "iis"
    if "date" in known and "time" in known:
        ecs.put(event, "@timestamp", clock.local(f"{known['date']} {known['time']}"))
    ecs.put_ip(event, "source", known.get("c-ip"))
    ecs.put_ip(event, "destination", known.get("s-ip"))
    ecs.put_port(event, "destination.port", known.get("s-port"))
    ecs.put(event, "user.name", known.get("cs-username"))
    ecs.put(event, "http.request.method", known.get("cs-method"))
    ecs.put(event, "host.name", known.get("s-computername"))
    stem, query = known.get("cs-uri-stem") or known.get("cs-uri"), known.get("cs-uri-query")
    if stem:
        put_url(event, f"{stem}?{query}" if query else stem)
    ecs.put(event, "url.domain", known.get("cs-host") or known.get("cs(Host)"))
    ecs.put(event, "user_agent.original", known.get("cs(User-Agent)", "").replace("+", " "))
    ecs.put(event, "http.request.referrer", known.get("cs(Referer)"))
    ecs.put(event, "http.response.bytes", ecs.as_int(known.get("sc-bytes")))
    ecs.put(event, "http.request.bytes", ecs.as_int(known.get("cs-bytes")))
    taken = ecs.as_int(known.get("time-taken"))
    if taken is not None:
        event["event.duration"] = taken * 1_000_000
    for name, value in known.items():
        event[f"iis.access.{name}"] = value
    _access(event, "web.access", known.get("sc-status", ""))
