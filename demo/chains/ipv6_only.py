"""Attack: lateral movement over IPv6 alone, where half the watchers look at IPv4 only."""

from __future__ import annotations

import random
from functools import partial

from demo import devices, eve, syslog, windows
from demo.background.scene import SENSORS
from demo.chains.chain import LOOT6, Chain
from demo.city import City, Host
from demo.plan import Planned, Route

IMPLANT = "C:\\Users\\Public\\netsvc6.exe"
SERVICES, CMD = "C:\\Windows\\System32\\services.exe", "C:\\Windows\\System32\\cmd.exe"


def ipv6_only(city: City, rng: random.Random) -> list[Planned]:
    """About 50 seconds; no record of it has an IPv4 address at either end."""
    chain = Chain("ipv6")
    desk, server = rng.choice(city.within("egov-extranet", "workstation")), rng.choice(city.of("file"))
    node = rng.choice(city.of("node"))
    _enter_file_server(chain, desk, server)
    _guess_node(chain, server, node)
    _call_home(chain, node)
    return chain.records


def _enter_file_server(chain: Chain, desk: Host, server: Host) -> None:
    chain.step("enters a file server", 0, server, "T1021.002")
    chain.send(Route.JSON, partial(windows.logon, host=server, user="svc.backup", logon_type=3, source=desk.ip6, port=50_601))
    way = (desk.ip6, 50_601, server.ip6, 445)
    copied = partial(eve.smb, sensor=SENSORS["egov-extranet"], flow=way, command="SMB2_COMMAND_CREATE", name="netsvc6.exe")
    chain.send(Route.JSON, partial(copied, share=f"\\\\{server.name}\\ADMIN$"))
    installed = partial(windows.service_installed, host=server, name="NetSvc6", path=f"{IMPLANT} -k")
    chain.send(Route.JSON, installed, "service_from_user_path")
    shell = partial(windows.process, host=server, user="SYSTEM", image=CMD, command=f"cmd.exe /c {IMPLANT}")
    started = partial(shell, parent=SERVICES, parent_command=SERVICES, pid=5_120)
    chain.send(Route.JSON, started, "shell_from_services")


def _guess_node(chain: Chain, server: Host, node: Host) -> None:
    chain.step("guesses a cloud node's password", 6, node, "T1110.001")
    way = (server.ip6, 51_600, node.ip6, 22)
    passed = partial(devices.comware_filter, host="FW-DC-01", permit=True, flow=way, zones=("Trust", "Cloud"))
    chain.send(Route.UDP, passed, "management_access")
    failed = partial(syslog.sshd_failed, host=node.name, source=server.ip6, user="root", known=True)
    for number in range(12):
        counted = ("sshd_bruteforce",) if number == 11 else ()
        chain.send(Route.TCP, partial(failed, pid=71_000 + number, port=51_600 + number), *counted, gap=0.6)
    login = partial(syslog.sshd_accepted, host=node.name, pid=71_040, user="root", source=server.ip6, port=51_690)
    chain.send(Route.TCP, partial(login, method="password"), "sshd_bruteforce_success")


def _call_home(chain: Chain, node: Host) -> None:
    chain.step("calls home", 7, node, "T1095")
    for number in range(3):
        way = (node.ip6, 45_600 + number, LOOT6, 4444)
        beat = partial(eve.flow, sensor=SENSORS[node.zone], flow=way, sent=800, received=700, seconds=2)
        chain.send(Route.JSON, beat, "crossing_denied", gap=5.0)
