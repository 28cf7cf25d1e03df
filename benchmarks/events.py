"""A city's events, made from a seed: the same number always gives the same event, in whichever process.

25 % process creations, 30 % flows, 15 % DNS, 10 % log-ons, 17 % web requests, 3 % IDS alerts; about 1.1 KB of JSON each. As from
our own parsers, the raw record (``event.original``) repeats what the fields say, and what ECS has no name for stays under
``winlog.event_data.*`` and ``suricata.eve.*``. A million events a day; deliveries up to a minute late.
"""

from __future__ import annotations

import hashlib
import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing import get_context

import orjson

from kernel.event import Event, event_id, timestamp_from_micros

START = 1_795_000_000_000_000
"""@timestamp of event 0, microseconds since the epoch."""
STEP = 86_400
"""Microseconds between events: a million a day."""
CHUNK = 10_000
_ROUND = 8
"""Chunks made at once."""

NEEDLE = hashlib.sha256(b"needle").hexdigest()
"""sha256 of three files among all events."""
RARE_COMMAND = "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Windows\\Temp\\lsass.dmp full"
"""About seventeen in a million events."""

_RANDOM = random.Random("vocabulary")
_SYLLABLES = [a + b + c for a in "bcdfghklmnprstvwz" for b in "aeiou" for c in ("", "n", "r", "s", "l", "x", "ng", "ck", "th")]
WORDS = sorted({"".join(_RANDOM.choices(_SYLLABLES, k=_RANDOM.randint(1, 3))) for _ in range(6_000)})
_ROLES = ["db", "web", "app", "file", "dc", "mail", "scada", "cam", "gis", "pay"]
HOSTS = [f"srv-{role}-{number:02d}.lanting.gov.example" for role in _ROLES for number in range(24)]
_NAMES = ["li", "wang", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "xu", "sun", "hu", "zhu", "gao", "lin"]
_GIVEN = ["wei", "fang", "na", "min", "jing", "li", "qiang", "lei", "jun", "yang", "yong", "yan", "jie", "tao", "ming", "chao"]
USERS = [f"{family}.{given}" for family in _NAMES for given in _GIVEN] + [f"svc_{word}" for word in WORDS[::600]]
_PROGRAMS = [
    "svchost",
    "chrome",
    "powershell",
    "cmd",
    "explorer",
    "msedge",
    "wmiprvse",
    "conhost",
    "python",
    "rundll32",
    "regsvr32",
    "java",
    "sqlservr",
    "w3wp",
    "winword",
    "excel",
    "outlook",
    "taskhostw",
    "msiexec",
    "git",
    "node",
    "setup",
    "updater",
]
_FOLDERS = [
    "C:\\Windows\\System32",
    "C:\\Program Files\\Common Files",
    "C:\\Program Files (x86)\\Lanting",
    "C:\\ProgramData\\Agent",
]
_PATHS = [f"{_RANDOM.choice(_FOLDERS)}\\{name}.exe" for name in _PROGRAMS]
_IMAGES = [(path, f"{_RANDOM.getrandbits(256):064x}") for path in _PATHS for _ in range(40)]
_SUFFIXES = ["com", "cn", "net", "com.cn", "gov.cn"]
_DOMAINS = [f"{_RANDOM.choice(WORDS)}{_RANDOM.choice(WORDS)}.{_RANDOM.choice(_SUFFIXES)}" for _ in range(20_000)]
_AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 14; Mobile")
    for version in range(118, 140)
]
_THREATS = ["MALWARE", "SCAN", "POLICY", "EXPLOIT"]
_SIGNATURES = [f"ET {_RANDOM.choice(_THREATS)} {_RANDOM.choice(WORDS)} {_RANDOM.choice(WORDS)} activity" for _ in range(400)]
_PORTS = [443, 443, 443, 80, 53, 22, 445, 3389, 8080, 502, 1883, 554]


class _Chance(random.Random):
    def inside(self) -> str:
        if self.random() < 0.1:
            return f"2001:db8:{self.randrange(64):x}::{self.randrange(4096):x}"
        return f"10.{self.randrange(16)}.{self.randrange(64)}.{self.randrange(1, 250)}"

    def outside(self) -> str:
        return f"{self.choice((101, 113, 120, 183, 203, 223))}.{self.randrange(256)}.{self.randrange(256)}.{self.randrange(1, 255)}"

    def common(self, pool: list[str]) -> str:
        """A few values are frequent, most are rare."""
        return pool[int(len(pool) * self.random() ** 3)]


def _process(chance: _Chance, number: int, time: str) -> Event:
    host, user = chance.common(HOSTS), chance.common(USERS)
    image, sha256 = chance.choice(_IMAGES)
    if chance.random() < 0.1:
        sha256 = f"{chance.getrandbits(256):064x}"
    if number in _NEEDLES:
        sha256 = NEEDLE
    parent = chance.choice(_PATHS)
    words = chance.choices(WORDS, k=3)
    command = f'"{image}" /{words[0]} --{words[1]}={chance.randrange(100_000)} %TEMP%\\{words[2]}.{chance.getrandbits(32):08x}.tmp'
    if chance.random() < 17 / 250_000:
        command = RARE_COMMAND
    parent_command = f"{parent} -k {chance.choice(WORDS)} -p"
    guid = f"{{8d2f90c1-{chance.getrandbits(16):04x}-6742-{chance.getrandbits(16):04x}-{chance.getrandbits(48):012x}}}"
    data = {
        "ProcessGuid": guid,
        "ProcessId": chance.randrange(4, 60_000),
        "Image": image,
        "CommandLine": command,
        "User": user,
        "LogonId": f"0x{chance.getrandbits(24):x}",
        "IntegrityLevel": chance.choice(["System", "High", "Medium", "Medium", "Low"]),
        "Hashes": f"SHA256={sha256.upper()}",
        "ParentImage": parent,
    }
    record = {"EventID": 1, "RecordID": number, "Computer": host, "EventData": data}
    return {
        "event.kind": "event",
        "event.dataset": "windows.sysmon",
        "event.module": "windows",
        "event.code": "1",
        "event.action": "process-created",
        "event.original": orjson.dumps(record).decode(),
        "host.name": host,
        "user.name": user,
        "process.executable": image,
        "process.name": image.rpartition("\\")[2],
        "process.command_line": command,
        "process.pid": data["ProcessId"],
        "process.entity_id": guid,
        "process.hash.sha256": sha256,
        "process.parent.executable": parent,
        "process.parent.name": parent.rpartition("\\")[2],
        "process.parent.command_line": parent_command,
        "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
        "winlog.event_id": "1",
        "winlog.record_id": str(number),
        "winlog.event_data.LogonId": data["LogonId"],
        "winlog.event_data.IntegrityLevel": data["IntegrityLevel"],
    }


def _eve(chance: _Chance, time: str, kind: str, client: str, server: str, port: int) -> dict[str, object]:
    return {
        "timestamp": time[:26] + "+0000",
        "flow_id": chance.getrandbits(50),
        "event_type": kind,
        "src_ip": client,
        "src_port": chance.randrange(1024, 65_536),
        "dest_ip": server,
        "dest_port": port,
        "proto": "UDP" if port in (53, 554) else "TCP",
        "community_id": "1:" + b64encode(chance.randbytes(20)).decode(),
    }


def _network(eve: dict[str, object], dataset: str, category: str) -> Event:
    return {
        "event.kind": "event",
        "event.module": "suricata",
        "event.dataset": dataset,
        "event.category": [category],
        "event.original": orjson.dumps(eve).decode(),
        "observer.name": "sensor-core-01",
        "source.ip": eve["src_ip"],
        "source.port": eve["src_port"],
        "destination.ip": eve["dest_ip"],
        "destination.port": eve["dest_port"],
        "network.transport": str(eve["proto"]).lower(),
        "network.community_id": eve["community_id"],
        "related.ip": [eve["dest_ip"], eve["src_ip"]],
        "suricata.eve.flow_id": eve["flow_id"],
    }


def _flow(chance: _Chance, number: int, time: str) -> Event:
    server = chance.outside() if chance.random() < 0.5 else chance.inside()
    eve = _eve(chance, time, "flow", chance.inside(), server, chance.choice(_PORTS))
    sent, received = int(chance.paretovariate(0.7) * 200) % 10**9, int(chance.paretovariate(0.6) * 300) % 10**9
    flow = {
        "pkts_toserver": sent // 700 + 1,
        "pkts_toclient": received // 1100 + 1,
        "bytes_toserver": sent,
        "bytes_toclient": received,
        "state": chance.choice(["closed", "closed", "established", "new"]),
    }
    event = _network(eve | {"flow": flow}, "suricata.flow", "network")
    return event | {
        "source.bytes": sent,
        "source.packets": flow["pkts_toserver"],
        "destination.bytes": received,
        "destination.packets": flow["pkts_toclient"],
        "network.bytes": sent + received,
        "suricata.eve.flow.state": flow["state"],
    }


def _dns(chance: _Chance, number: int, time: str) -> Event:
    name = f"{chance.choice(('www', 'api', 'cdn', 'mail', 'img'))}.{chance.common(_DOMAINS)}"
    if chance.random() < 0.02:
        name = f"{chance.getrandbits(64):016x}.{name}"
    eve = _eve(chance, time, "dns", chance.inside(), f"10.0.0.{chance.choice((53, 54))}", 53)
    answer = chance.outside()
    kind = chance.choice(["A", "A", "AAAA", "TXT"])
    code = chance.choice(["NOERROR", "NOERROR", "NOERROR", "NXDOMAIN"])
    event = _network(
        eve | {"dns": {"type": "answer", "rrname": name, "rrtype": kind, "rcode": code, "rdata": answer}}, "suricata.dns", "network"
    )
    return event | {
        "network.protocol": "dns",
        "dns.question.name": name,
        "dns.question.type": kind,
        "dns.response_code": code,
        "dns.resolved_ip": [answer],
    }


def _logon(chance: _Chance, number: int, time: str) -> Event:
    host, user, address = chance.common(HOSTS), chance.common(USERS), chance.inside()
    good = chance.random() < 0.7
    port, pid = chance.randrange(1024, 65_536), chance.randrange(300, 60_000)
    message = f"{'Accepted' if good else 'Failed'} password for {user} from {address} port {port} ssh2"
    return {
        "event.kind": "event",
        "event.module": "linux",
        "event.dataset": "linux.auth",
        "event.category": ["authentication"],
        "event.type": ["start"],
        "event.action": "logged-in" if good else "logon-failed",
        "event.outcome": "success" if good else "failure",
        "event.original": f"<86>{time[:19]}+00:00 {host} sshd[{pid}]: {message}",
        "message": message,
        "host.name": host,
        "host.os.type": "linux",
        "process.name": "sshd",
        "process.pid": pid,
        "user.name": user,
        "source.ip": address,
        "source.port": port,
        "related.ip": [address],
        "related.user": [user],
        "log.syslog.priority": 86,
        "log.syslog.facility.name": "authpriv",
        "log.syslog.severity.name": "informational",
    }


def _web(chance: _Chance, number: int, time: str) -> Event:
    host, client, agent = f"srv-web-{chance.randrange(24):02d}.lanting.gov.example", chance.outside(), chance.common(_AGENTS)
    path = f"/{chance.choice(('api/v2', 'portal', 'service', 'static'))}/{chance.common(WORDS)}/{chance.common(WORDS)}"
    query = f"id={chance.randrange(1_000_000)}&session={chance.getrandbits(64):016x}"
    if chance.random() < 6 / 170_000:
        query = "id=1%27%20UNION%20SELECT%20password%20FROM%20users--"
    method, status = chance.choice(["GET", "GET", "GET", "POST"]), chance.choice([200, 200, 200, 200, 302, 404, 500])
    size = int(chance.paretovariate(0.8) * 500) % 10**8
    day = f"{time[8:10]}/Nov/{time[:4]}:{time[11:19]} +0000"
    return {
        "event.kind": "event",
        "event.module": "nginx",
        "event.dataset": "web.access",
        "event.category": ["web"],
        "event.type": ["access"],
        "event.outcome": "success" if status < 400 else "failure",
        "event.original": f'{client} - - [{day}] "{method} {path}?{query} HTTP/1.1" {status} {size} "-" "{agent}"',
        "host.name": host,
        "source.ip": client,
        "http.request.method": method,
        "http.response.status_code": status,
        "http.response.body.bytes": size,
        "http.version": "1.1",
        "url.original": f"{path}?{query}",
        "url.path": path,
        "url.query": query,
        "user_agent.original": agent,
        "related.ip": [client],
    }


def _alert(chance: _Chance, number: int, time: str) -> Event:
    eve = _eve(chance, time, "alert", chance.outside(), chance.inside(), chance.choice(_PORTS))
    place = int(len(_SIGNATURES) * chance.random() ** 3)
    alert = {
        "action": "allowed",
        "gid": 1,
        "signature_id": 2_000_000 + place,
        "rev": 3,
        "signature": _SIGNATURES[place],
        "category": "A Network Trojan was detected",
        "severity": 1 + place % 3,
    }
    event = _network(eve | {"alert": alert}, "suricata.alert", "intrusion_detection")
    return event | {
        "event.kind": "alert",
        "event.severity": alert["severity"],
        "message": alert["signature"],
        "rule.id": str(alert["signature_id"]),
        "rule.name": alert["signature"],
        "suricata.eve.alert.action": "allowed",
        "suricata.eve.alert.category": alert["category"],
    }


_KINDS: list[Callable[[_Chance, int, str], Event]] = [_process, _flow, _dns, _logon, _web, _alert]
_SHARES = [25, 30, 15, 10, 17, 3]
_NEEDLES: set[int] = set()


def chunk(place: int, total: int) -> list[Event]:
    """Events ``place * CHUNK`` … of a set of ``total``, in the order of arrival."""
    first, last = place * CHUNK, min(total, (place + 1) * CHUNK)
    chance = _Chance(f"chunk {place}")
    kinds = chance.choices(range(len(_KINDS)), _SHARES, k=last - first)
    for needle in (total // 7, total // 2, total - total // 5):  # always a process
        if first <= needle < last:
            _NEEDLES.add(needle)
            kinds[needle - first] = 0
    events = []
    for number, kind in enumerate(kinds, first):
        arrived = START + number * STEP
        time = timestamp_from_micros(arrived - int(chance.random() ** 4 * 60_000_000))
        events.append(
            {"@timestamp": time, "event.id": event_id("bench", number), "event.ingested": timestamp_from_micros(arrived)}
            | _KINDS[kind](chance, number, time)
            | {"liandun.source": "bench"}
        )
    return events


def _encoded(job: tuple[int, int]) -> bytes:
    return orjson.dumps(chunk(*job))


def batches(total: int, processes: int = 2) -> Iterator[list[Event]]:
    """All events, ``CHUNK`` at a time. Other processes make a round of them and rest while the caller measures."""
    jobs = ((place, total) for place in range(-(-total // CHUNK)))
    with get_context("spawn").Pool(processes) as pool:
        while round_ := list(islice(jobs, _ROUND)):
            for content in pool.map(_encoded, round_, chunksize=1):
                yield orjson.loads(content)
