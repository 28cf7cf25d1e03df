"""Attack: a workstation of the extranet jumps over a permit that has expired into the waterworks, and writes to PLCs directly."""

from __future__ import annotations

import random
from functools import partial

from demo import devices, eve, windows
from demo.background.scene import SENSORS
from demo.chains.captures import capture
from demo.chains.chain import Chain
from demo.city import City, Host
from demo.plan import Planned, Route

WRITTEN = tuple((register, 65_535 if register % 2 else 0) for register in range(40, 52))
"""Registers and values: pump speeds to the stop, valves shut."""


def controller(city: City, rng: random.Random) -> list[Planned]:
    """About 50 seconds."""
    chain = Chain("controller")
    desk = rng.choice(city.within("egov-extranet", "workstation"))
    plc, other = rng.sample(city.of("plc"), 2)
    _jump(chain, desk, city.named("WTR-HMI-01"))
    _look(chain, desk, city.of("plc"))
    _write(chain, desk, plc)
    _stop(chain, desk, other)
    return chain.records


def _jump(chain: Chain, desk: Host, station: Host) -> None:
    """Remote desktop of the pump maker's old maintenance permit."""
    chain.step("uses an expired permit", 0, station, "T1133")
    way = (desk.ip, 52_311, station.ip, 3389)
    chain.send(Route.TCP, partial(devices.topsec_session, host="FW-OT-01", accept=True, flow=way), "conduit_expired")
    chain.send(
        Route.JSON, partial(windows.logon, host=station, user=desk.user, logon_type=10, source=desk.ip, port=52_311), gap=5.0
    )
    ended = partial(eve.flow, sensor=SENSORS["water-ot"], flow=way, sent=80_000, received=900_000, seconds=6)
    chain.send(Route.JSON, ended, "management_into_ot")


def _look(chain: Chain, desk: Host, plcs: tuple[Host, ...]) -> None:
    chain.step("reads the controllers", 4, plcs[0], "T0846")
    for number, plc in enumerate(plcs):
        read = partial(eve.modbus, sensor=SENSORS["water-ot"], function=3, address=0, value=8)
        asked = partial(read, flow=(desk.ip, 52_400 + number, plc.ip, 502))
        chain.send(Route.JSON, asked, "crossing_denied", "ot_protocol_from_outside", "modbus_many_devices", gap=0.4)


def _write(chain: Chain, desk: Host, plc: Host) -> None:
    chain.step("writes to a PLC", 6, plc, "T0855")
    write = partial(eve.modbus, sensor=SENSORS["water-ot"], flow=(desk.ip, 52_500, plc.ip, 502), function=6)
    for number, (register, value) in enumerate(WRITTEN):
        counted = ("modbus_write_many",) if number == len(WRITTEN) - 1 else ()
        chain.send(Route.JSON, partial(write, address=register, value=value), "modbus_write", *counted, gap=0.7)


def _stop(chain: Chain, desk: Host, plc: Host) -> None:
    chain.step("stops a PLC", 5, plc, "T0816")
    denied = partial(devices.topsec_session, host="FW-OT-01", accept=False, flow=(desk.ip, 52_600, plc.ip, 44_818))
    chain.send(Route.TCP, denied)
    way = (desk.ip, 40_402, plc.ip, 102)
    chain.send(Route.TCP, partial(devices.topsec_session, host="FW-OT-01", accept=True, flow=way), "crossing_denied")
    mirror = partial(capture, kind="controller", station=desk.ip, plc=plc.ip, values=WRITTEN[:3])
    chain.send(Route.PCAP, mirror, "modbus_write_on_wire", "s7_stop_on_wire")
