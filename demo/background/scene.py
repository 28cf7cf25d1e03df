"""A scene and what every maker of scenes needs: ports, addresses from outside, the sensor and the firewall of a zone."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from demo import devices, eve
from demo.city import City, Host
from demo.plan import Build, Route
from demo.zone_plan import ZONES

Part = tuple[float, Route, Build]
"""Seconds after the scene begins, how the record travels, the record."""
Scene = list[Part]
Maker = Callable[[City, random.Random], Scene]

SENSORS = {zone.id: zone.sensors[0] for zone in ZONES}
VLANS = {zone.id: zone.vlans for zone in ZONES}


class Habit(msgspec.Struct, frozen=True):
    """A kind of scene: how often it happens in an hour in which the city is fully awake, and its rhythm (see ``rhythm.py``)."""

    make: Maker
    per_hour: float
    rhythm: str


def port(rng: random.Random) -> int:
    """A client's port (Linux default range)."""
    return rng.randrange(32_768, 60_999)


def citizen(rng: random.Random) -> str:
    """A citizen's address (documentation ranges); one in four comes over IPv6."""
    if rng.random() < 0.25:
        return f"2001:db8:c1::{rng.randrange(1, 0xFFFF):x}"
    return f"{rng.choice(('198.51.100', '192.0.2'))}.{rng.randrange(1, 255)}"


def website(rng: random.Random) -> str:
    """A server on the Internet; one in three is reached over IPv6."""
    return f"2001:db8:beef::{rng.randrange(1, 64):x}" if rng.random() < 0.3 else f"198.51.100.{rng.randrange(1, 255)}"


def ends(client: Host, server: Host, service: int, rng: random.Random, ip6: float = 0.3) -> eve.Flow:
    """Both ends of a connection; over IPv6 with probability ``ip6`` where both have it."""
    over = rng.random() < ip6 and bool(client.ip6) and bool(server.ip6)
    return client.address(over), port(rng), server.address(over), service


def flow(client: Host, server: Host, service: int, rng: random.Random, **more: Any) -> Part:
    """The sensor of the server's zone saw a connection end."""
    seconds = rng.randrange(1, 30)
    ended = partial(
        eve.flow,
        sensor=SENSORS[server.zone],
        flow=ends(client, server, service, rng),
        sent=rng.randrange(400, 9_000),
        received=rng.randrange(600, 90_000),
        seconds=seconds,
    )
    return 0.0, Route.JSON, partial(ended, **more)


def session(host: str, flow: eve.Flow, zones: tuple[str, str], protocol: str = "tcp", mac: str = "") -> Part:
    """The firewall called ``host`` permitted a connection; its maker decides the form."""
    if host.startswith("USG"):
        return 0.0, Route.UDP, partial(devices.usg_session, host=host, flow=flow, protocol=protocol)
    if host.startswith("FW-OT"):
        return 0.0, Route.TCP, partial(devices.topsec_session, host=host, accept=True, flow=flow, protocol=protocol)
    if host.startswith("FW-PRIVATE"):
        number = 6 if protocol == "tcp" else 17
        return (
            0.0,
            Route.UDP,
            partial(devices.dptech_policy, host=host, address="10.20.0.4", allow=True, flow=flow, protocol=number),
        )
    return (
        0.0,
        Route.UDP,
        partial(devices.comware_filter, host=host, permit=True, flow=flow, zones=zones, mac=mac, protocol=protocol.upper()),
    )
