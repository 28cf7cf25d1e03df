"""Attack: somebody plugs a wireless router into the treasury's private network (非法接入). It takes an address, sweeps, claims to
be the payment server, and gives a workstation of the private network a way to the Internet (违规外联).
"""

from __future__ import annotations

import random
from functools import partial

from demo import devices, eve
from demo.background.scene import SENSORS, VLANS
from demo.chains.chain import Chain
from demo.city import City, Host
from demo.plan import Planned, Route

ZONE = "fin-private"
SWEPT = (21, 22, 23, 80, 135, 139, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6379, 8080, 9200)
OUTSIDE = ("198.51.100.20", "198.51.100.77", "2001:db8:beef::99")


def rogue(city: City, rng: random.Random) -> list[Planned]:
    """About 55 seconds."""
    chain = Chain("rogue")
    mac = f"02:1a:{rng.randrange(256):02x}:{rng.randrange(256):02x}:{rng.randrange(256):02x}:{rng.randrange(256):02x}"
    address = f"10.121.0.{rng.randrange(150, 240)}"
    switch, victim = city.named("sw-finp-01"), rng.choice(city.within(ZONE, "workstation"))
    _join(chain, mac, address, switch)
    _sweep(chain, address, city)
    _pretend(chain, mac, switch, city.named("fin-pay-01"))
    _break_out(chain, victim)
    return chain.records


def _join(chain: Chain, mac: str, address: str, switch: Host) -> None:
    chain.step("plugs in a wireless router", 0, switch, "T1200")
    lease = partial(eve.dhcp, sensor=SENSORS[ZONE], vlan=VLANS[ZONE][0], mac=mac, address=address, server=switch.ip)
    chain.send(Route.JSON, partial(lease, name="MiWiFi-R4A", answer=False), "unknown_device")
    chain.send(Route.JSON, partial(lease, name="MiWiFi-R4A", answer=True))


def _sweep(chain: Chain, address: str, city: City) -> None:
    chain.step("sweeps the private network", 7, city.named("fin-pay-db-01"), "T1046")
    knock = partial(eve.flow, sensor=SENSORS[ZONE], sent=66, received=0, seconds=0, answered=False)
    for number, target in enumerate(city.within(ZONE)):
        chain.send(Route.JSON, partial(knock, flow=(address, 47_000 + number, target.ip, 445)), "unknown_device", gap=0.3)
    exchange = city.named("data-share-01")
    for number, port in enumerate(SWEPT):
        way = (address, 47_100 + number, exchange.ip, port)
        denied = partial(devices.dptech_policy, host="FW-PRIVATE-01", address="10.20.0.4", allow=False, flow=way)
        chain.send(Route.UDP, denied, *(("firewall_port_sweep",) if port == SWEPT[-1] else ()), gap=0.2)


def _pretend(chain: Chain, mac: str, switch: Host, server: Host) -> None:
    """It asks for the payment server's address to be renewed: a renewal comes from that address (RFC 2131 §4.4.5)."""
    chain.step("takes the payment server's address", 6, server, "T1557")
    renew = partial(eve.dhcp_renewal, sensor=SENSORS[ZONE], vlan=VLANS[ZONE][0], mac=mac, address=server.ip, server=switch.ip)
    chain.send(Route.JSON, partial(renew, name="MiWiFi-R4A"), "address_conflict")


def _break_out(chain: Chain, victim: Host) -> None:
    chain.step("a workstation reaches the Internet through it", 10, victim, "T1090")
    for number, target in enumerate(OUTSIDE):
        way = (victim.address(":" in target), 50_700 + number, target, 443)
        chain.send(
            Route.JSON, partial(eve.tls, sensor=SENSORS[ZONE], flow=way, name="pan.share.example"), "illegal_outbound", gap=3.0
        )
        moved = partial(eve.flow, sensor=SENSORS[ZONE], flow=way, sent=38_000_000, received=200_000, seconds=3)
        chain.send(Route.JSON, moved, "illegal_outbound", gap=2.0)
