"""Attack: an infected camera guesses the passwords of its neighbours, one fetches a firmware and calls home, reaches for the data
platform, and its picture leaves the city.
"""

from __future__ import annotations

import random
from functools import partial

from demo import devices, eve, syslog
from demo.background.scene import SENSORS
from demo.chains.captures import capture
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Planned, Route

VIEWER = "203.0.113.88"
"""Where the stolen picture would go (RFC 5737)."""
DEFAULT_ACCOUNTS = ("root", "admin", "supervisor", "888888", "service")


def camera(city: City, rng: random.Random) -> list[Planned]:
    """About 60 seconds."""
    chain = Chain("camera")
    first, second = rng.sample(city.of("camera"), 2)
    gateway = rng.choice(city.within("traffic-iot", "gateway"))
    _guess(chain, first, second)
    _guess_gateway(chain, first, gateway)
    _call_home(chain, second)
    _reach_for_data(chain, second, city.named("data-share-01"))
    _leak_picture(chain, second)
    return chain.records


def _guess(chain: Chain, first: Host, second: Host) -> None:
    chain.step("guesses a camera's password", 0, second, "T1110.001")
    seen = partial(eve.flow, sensor=SENSORS["traffic-iot"], sent=420, received=310, seconds=1)
    for number in range(8):
        service = 23 if number % 2 else 554
        chain.send(Route.JSON, partial(seen, flow=(first.ip, 40_300 + number, second.ip, service)), gap=0.6)
    mirror = partial(capture, kind="camera", intruder=first.ip, target=second.ip, loot=(LOOT, 8080))
    on_wire = (
        "telnet_login_prompt",
        "telnet_default_password",
        "rtsp_refused_on_wire",
        "script_from_bare_address",
        "demo_file_on_wire",
        "demo_file",
        "illegal_outbound",
    )
    chain.send(Route.PCAP, mirror, *on_wire)


def _guess_gateway(chain: Chain, first: Host, gateway: Host) -> None:
    chain.step("guesses the gateway's password", 3, gateway, "T1110.001")
    failed = partial(syslog.sshd_failed, host=gateway.name, source=first.ip)
    for number in range(12):
        name = DEFAULT_ACCOUNTS[number % len(DEFAULT_ACCOUNTS)]
        tried = partial(failed, pid=1_400 + number, user=name, port=43_000 + number, known=name == "root")
        chain.send(Route.TCP, tried, *(("sshd_bruteforce",) if number == 11 else ()), gap=0.5)


def _call_home(chain: Chain, second: Host) -> None:
    chain.step("fetches a firmware", 5, second, "T1105")
    fetch = partial(eve.http, sensor=SENSORS["traffic-iot"], host=f"{LOOT}:8080", url="/fw/ipc_update.bin", agent="Wget/1.21.4")
    got = partial(fetch, flow=(second.ip, 40_600, LOOT, 8080), length=3_204_100, kind="application/octet-stream")
    chain.send(Route.JSON, got, "illegal_outbound", gap=3.0)

    chain.step("calls home", 6, second, "T1571")
    beat = partial(eve.flow, sensor=SENSORS["traffic-iot"], sent=640, received=380, seconds=2)
    for number in range(3):
        chain.send(Route.JSON, partial(beat, flow=(second.ip, 40_700 + number, LOOT, 48_101)), "illegal_outbound", gap=4.0)


def _reach_for_data(chain: Chain, second: Host, exchange: Host) -> None:
    chain.step("reaches for the data platform", 4, exchange, "T1046")
    for number, service in enumerate((22, 5432)):
        way = (second.ip, 40_800 + number, exchange.ip, service)
        rules = ("management_access",) if service == 22 else ("crossing_denied", "database_from_wrong_zone")
        seen = partial(eve.flow, sensor=SENSORS["data-platform"], flow=way, sent=700, received=900)
        chain.send(Route.JSON, seen, *rules, "perception_into_data_platform", gap=0.8)
    for number, service in enumerate((1433, 3306, 6379, 9200)):
        way = (second.ip, 40_820 + number, exchange.ip, service)
        denied = partial(devices.comware_filter, host="FW-DC-01", permit=False, flow=way, zones=("IoT", "Data"))
        chain.send(Route.UDP, denied, gap=0.3)


def _leak_picture(chain: Chain, second: Host) -> None:
    chain.step("sends its picture out of the city", 5, second, "T1125")
    register = partial(eve.sip, sensor=SENSORS["traffic-iot"], method="REGISTER", target=f"sip:{second.gb_id}@{VIEWER}")
    chain.send(Route.JSON, partial(register, flow=(second.ip, 5060, VIEWER, 5060)), "illegal_outbound", gap=2.0)
    stream = partial(eve.flow, sensor=SENSORS["traffic-iot"], flow=(second.ip, 15_060, VIEWER, 30_012), proto="UDP")
    chain.send(Route.JSON, partial(stream, sent=410_000_000, received=0, seconds=20), "illegal_outbound")
