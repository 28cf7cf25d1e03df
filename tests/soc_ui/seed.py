"""A filled console for tests and screenshots: events in a real lake, alerts through the real service, an account through set-up.

python -m tests.soc_ui.seed FOLDER [PORT]      serves it on 127.0.0.1
"""

from __future__ import annotations

import math
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

from crypto.secret import MasterKey
from kernel.detection import Detection, MatchedField, detection_id
from kernel.event import Event, event_id, timestamp
from kernel.store.contract import Commit, Quarantined
from kernel.store.lake import Lake
from operations.accounts import service as accounts
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import RuleCatalogue, RuleFailure, RuleInfo, Services, SourceHealth
from tests.soc_ui.seed_administration import administer
from tests.soc_ui.seed_zones import fill_zones
from tests.state_database import migrated

USER, PASSWORD = "lin.mei", "Correct-Horse-7"
ADMINISTRATORS = {"sysadmin": ("xu.xitong", "许系统"), "secadmin": ("an.quan", "安全"), "auditadmin": ("shen.ji", "沈计")}
"""Role → user name and display name; they have the same password."""

_LSASS = r"""title: LSASS Memory Read by an Unusual Process
id: 5ef9853e-4d0e-4a70-846f-a9ca37d876da
status: stable
description: A process that is no system component opened lsass.exe with rights to read its memory, as credential dumpers do.
author: Liandun
level: critical
tags:
    - attack.credential-access
    - attack.t1003.001
logsource:
    product: windows
    category: process_access
detection:
    selection_target:
        TargetImage|endswith: '\lsass.exe'
    selection_rights:
        GrantedAccess|contains:
            - '0x1410'
            - '0x1fffff'
    filter_main_system:
        SourceImage|startswith: 'C:\Windows\System32\'
    condition: all of selection_* and not filter_main_system
falsepositives:
    - Security products that are not listed here
"""
_ENCODED = r"""title: PowerShell with an Encoded Command
id: ca2092a1-c273-4878-9b4b-0d60115bf5ea
status: test
description: PowerShell was started with a Base64 encoded command line, which hides what it does.
level: high
tags: [attack.execution, attack.t1059.001]
logsource:
    product: windows
    category: process_creation
detection:
    selection_image:
        Image|endswith: '\powershell.exe'
    selection_option:
        CommandLine|contains: ' -enc'
    condition: all of selection_*
"""
_SSH = r"""title: Many Failed SSH Log-ins from One Address
id: 0b9ad457-2554-44c1-82c2-d56a99c42377
level: medium
tags: [attack.credential-access, attack.t1110.001]
correlation:
    type: event_count
    rules: [ssh-failed]
    group-by: [source.ip]
    timespan: 5m
    condition: {gte: 10}
"""
_MODBUS = """alert modbus any any -> $OT_NET 502 (msg:"LIANDUN OT Modbus write to PLC from outside its zone"; \
modbus: access write holding; classtype:policy-violation; sid:9000042; rev:1;)
"""

RULES = (
    RuleInfo(
        "5ef9853e-4d0e-4a70-846f-a9ca37d876da",
        "LSASS Memory Read by an Unusual Process",
        "critical",
        "sigma",
        ("attack.credential-access", "attack.t1003.001"),
        _LSASS,
        "sigma/windows/lsass_access.yml",
        "stable",
        "A process that is no system component opened lsass.exe.",
        "Liandun",
    ),
    RuleInfo(
        "ca2092a1-c273-4878-9b4b-0d60115bf5ea",
        "PowerShell with an Encoded Command",
        "high",
        "sigma",
        ("attack.execution", "attack.t1059.001"),
        _ENCODED,
        "sigma/windows/powershell_encoded.yml",
        "test",
        "",
        "Liandun",
    ),
    RuleInfo(
        "0b9ad457-2554-44c1-82c2-d56a99c42377",
        "Many Failed SSH Log-ins from One Address",
        "medium",
        "correlation",
        ("attack.credential-access", "attack.t1110.001"),
        _SSH,
        "sigma/linux/ssh_bruteforce.yml",
    ),
    RuleInfo(
        "suricata:9000042",
        "LIANDUN OT Modbus write to PLC from outside its zone",
        "high",
        "suricata",
        ("ot", "modbus"),
        _MODBUS,
        "suricata/ot.rules",
    ),
    RuleInfo(
        "yara:Webshell_JSP_Runtime",
        "JSP web shell that runs commands",
        "critical",
        "yara",
        ("webshell",),
        'rule Webshell_JSP_Runtime {\n  strings:\n    $a = "Runtime.getRuntime().exec"\n  condition:\n    $a\n}\n',
        "yara/webshell.yar",
    ),
    RuleInfo(
        "6f3e2987-db24-4c78-a860-b4f4095a7095",
        "Account Discovery with net.exe",
        "low",
        "sigma",
        ("attack.discovery", "attack.t1087"),
        "title: Account Discovery with net.exe\nlevel: low\n",
        "sigma/windows/net_discovery.yml",
    ),
    RuleInfo(
        "9c4a7f60-58c2-4d4c-9d54-6a2a6a3e1111",
        "New Scheduled Task",
        "informational",
        "sigma",
        ("attack.persistence", "attack.t1053.005"),
        "title: New Scheduled Task\nlevel: informational\n",
        "sigma/windows/schtasks.yml",
    ),
)
FAILURES = (RuleFailure("sigma/broken.yml", 12, "the condition names selection_x, which is not defined"),)
HOSTS = (
    "ws-fin-017.city.local",
    "ws-hr-004.city.local",
    "srv-dc-01.city.local",
    "srv-web-02.city.local",
    "scada-hmi-3",
    "gw-traffic-11",
)
USERS = ("zhang.wei", "li.na", "wang.fang", "svc_backup", "root", "操作员甲")


def fill(folder: Path, *, events: int = 3000, end: datetime | None = None, with_account: bool = True) -> Services:
    """Services over a fresh database and lake in ``folder``, filled up to ``end`` (default: now)."""
    end = end or datetime.now(UTC)
    database = migrated(f"sqlite:///{folder / 'state.db'}")
    if with_account:
        accounts.create_user(database, SYSTEM, USER, PASSWORD, "analyst", display_name="林梅")
        for role, (name, display_name) in ADMINISTRATORS.items():
            accounts.create_user(database, SYSTEM, name, PASSWORD, role, display_name=display_name)
    lake = Lake.open(folder / "lake", writable=True, demo=True)
    chance = random.Random(7)
    background = [_background(chance, end - timedelta(seconds=chance.random() * 86400)) for _ in range(events)]
    detections = [
        _attack(chance, end - timedelta(hours=24) * chance.random() ** 1.6, number) for number in range(260 if events else 0)
    ]
    stored = background + [detection.event for detection in detections]
    if stored:
        broken = [
            Quarantined(
                event_id("broken", n),
                timestamp(end - timedelta(minutes=3 * n)),
                "syslog-tcp",
                f"10.20.0.{n}:514",
                "no RFC 3164 or RFC 5424 header",
                b"\x16\x03\x01\x02<script>alert(1)</script> \xff\xfe" * (n + 1),
            )
            for n in range(7)
        ]
        lake.commit(Commit(stored, quarantined=broken, consumer="seed", position=1))
    detections.sort(key=lambda detection: detection.time)
    for start in range(0, len(detections), 100):
        with database.write() as session:
            alerts.record_detections(session, detections[start : start + 100])
    return Services(
        database=database,
        store=lake,
        version="0.1.0",
        rules=lambda: RuleCatalogue(RULES if events else (), FAILURES if events else ()),
        health=(lambda: _health(end, events)) if events else tuple,
        master_key=MasterKey(b"0123456789abcdef"),
    )


def _health(end: datetime, events: int) -> list[SourceHealth]:
    def wave(base: float, phase: float) -> list[float]:
        return [
            round(max(0.0, base * (1 + 0.35 * math.sin(step / 9 + phase) + 0.08 * math.sin(step * 1.7))), 1) for step in range(120)
        ]

    now = timestamp(end)
    return [
        SourceHealth("syslog-tcp", "syslog", 184_220, 184_213, 7, 0, 0, now, wave(420, 0)),
        SourceHealth("syslog-udp", "syslog", 61_002, 60_990, 0, 12, 0, now, wave(130, 1)),
        SourceHealth("winlog-evtx", "evtx", 38_117, 38_117, 0, 0, 0, now, wave(60, 2)),
        SourceHealth("suricata-eve", "suricata", 92_004, 92_004, 0, 0, 3.2, now, wave(210, 3)),
        SourceHealth("nginx-access", "file", 0, 0, 0, 0, 0, "", [], error="/var/log/nginx/access.log: permission denied"),
    ]


def _background(chance: random.Random, at: datetime) -> Event:
    host, user = chance.choice(HOSTS), chance.choice(USERS)
    kind = chance.choice(("dns", "flow", "auth", "process", "http"))
    event: Event = {"@timestamp": timestamp(at), "event.id": event_id("background", chance.random()), "host.name": host}
    address = f"10.{chance.choice((10, 20, 30))}.{chance.randrange(4)}.{chance.randrange(1, 250)}"
    if kind == "dns":
        event |= {
            "event.dataset": "suricata.dns",
            "source.ip": address,
            "dns.question.name": chance.choice(("update.example.cn", "mail.city.local", "ntp.city.local", "cdn.example.com")),
            "destination.port": 53,
        }
    elif kind == "flow":
        event |= {
            "event.dataset": "suricata.flow",
            "source.ip": address,
            "destination.ip": f"10.30.0.{chance.randrange(1, 40)}",
            "destination.port": chance.choice((443, 502, 80, 22)),
            "network.transport": "tcp",
            "source.bytes": chance.randrange(10**6),
            "event.action": "flow",
        }
    elif kind == "auth":
        failed = chance.random() < 0.3
        event |= {
            "event.dataset": "linux.auth",
            "user.name": user,
            "source.ip": address,
            "event.outcome": "failure" if failed else "success",
            "message": f"{'Failed' if failed else 'Accepted'} password for {user} from {address} port 51144 ssh2",
        }
        event["event.original"] = f"<86>{at:%b %d %H:%M:%S} {host} sshd[812]: {event['message']}"
    elif kind == "process":
        event |= {
            "event.dataset": "windows.sysmon",
            "user.name": user,
            "process.name": "svchost.exe",
            "process.executable": r"C:\Windows\System32\svchost.exe",
            "process.command_line": r"C:\Windows\System32\svchost.exe -k netsvcs -p",
            "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
            "winlog.event_id": "1",
            "process.pid": chance.randrange(65000),
        }
    else:
        event |= {
            "event.dataset": "nginx.access",
            "source.ip": address,
            "http.request.method": "GET",
            "url.original": chance.choice(("/index.html", "/api/v2/traffic/lights", "/login", "/camera/17/stream")),
            "http.response.status_code": chance.choice((200, 200, 304, 404)),
        }
    return event


def _attack(chance: random.Random, at: datetime, number: int) -> Detection:
    host, user = chance.choice(HOSTS), chance.choice(USERS)
    rule = chance.choices(RULES, (4, 20, 18, 12, 2, 24, 20))[0]
    event: Event = {"@timestamp": timestamp(at), "event.id": event_id("attack", number), "host.name": host, "user.name": user}
    matched: list[MatchedField] = []
    group: dict[str, str] = {}
    if rule.engine == "suricata":
        event |= {
            "event.dataset": "suricata.alert",
            "source.ip": f"10.20.1.{chance.randrange(3, 9)}",
            "destination.ip": "10.30.0.12",
            "destination.port": 502,
            "network.transport": "tcp",
            "rule.name": rule.title,
            "network.protocol": "modbus",
        }
        del event["user.name"]
    elif rule.engine == "correlation":
        source = f"203.0.113.{chance.randrange(5, 12)}"
        event |= {
            "event.dataset": "linux.auth",
            "source.ip": source,
            "message": f"Failed password for {user} from {source} port 51122 ssh2",
        }
        group = {"source.ip": source}
    elif rule.engine == "yara":
        event |= {"event.dataset": "suricata.fileinfo", "file.path": "/upload/avatar.jsp", "file.hash.sha256": "e3" * 32}
        matched = [MatchedField("file.content", "Runtime.getRuntime().exec", "$a", "$a")]
    elif rule.id.startswith("5ef9"):
        event |= {
            "event.dataset": "windows.sysmon",
            "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
            "winlog.event_id": "10",
            "process.executable": r"C:\Users\Public\pd64.exe",
            "process.name": "pd64.exe",
            "winlog.event_data.TargetImage": r"C:\Windows\System32\lsass.exe",
            "winlog.event_data.GrantedAccess": "0x1fffff",
            "winlog.event_data.CallTrace": r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c13e",
        }
        event["event.original"] = (
            '{"EventID":10,"Channel":"Microsoft-Windows-Sysmon/Operational","TargetImage":"C:\\\\Windows\\\\System32\\\\lsass.exe","GrantedAccess":"0x1fffff"}'
        )
        matched = [
            MatchedField("winlog.event_data.TargetImage", r"C:\Windows\System32\lsass.exe", r"*\lsass.exe", "selection_target"),
            MatchedField("winlog.event_data.GrantedAccess", "0x1fffff", "*0x1fffff*", "selection_rights"),
        ]
    else:
        event |= {
            "event.dataset": "windows.sysmon",
            "process.name": "powershell.exe",
            "process.executable": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "process.command_line": "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAA",
            "process.parent.name": "winword.exe",
            "process.hash.sha256": "ab" * 32,
        }
        matched = [
            MatchedField("process.executable", event["process.executable"], r"*\powershell.exe", "selection_image"),
            MatchedField("process.command_line", event["process.command_line"], "* -enc*", "selection_option"),
        ]
    return Detection(
        id=detection_id(rule.id, [event["event.id"]]),
        rule_id=rule.id,
        rule_name=rule.title,
        level=rule.level,
        engine=rule.engine,
        time=event["@timestamp"],
        event_ids=[event["event.id"]],
        event=event,
        tags=list(rule.tags),
        matched=matched,
        description=rule.description,
        author=rule.author,
        falsepositives=["Security products that are not listed here"] if rule.level == "critical" else [],
        rule_file=rule.file,
        group=group,
    )


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Access lines are not wanted in test output."""


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    filled = fill(target)
    administer(filled)
    fill_zones(filled, events=4000)
    application = create_app(filled)
    with make_server("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0, application, handler_class=_Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}/  {USER} / {PASSWORD}", flush=True)
        server.serve_forever()
