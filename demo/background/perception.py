"""Perception layer: pumps are polled, sensors report, cameras register and are watched, traffic lights are controlled."""

from __future__ import annotations

import json
import random
from functools import partial

from demo import eve
from demo.background.scene import SENSORS, Habit, Scene, ends, flow, session
from demo.city import GB_DOMAIN, City
from demo.plan import Route

POLLED = ((3, 0, 8), (4, 0, 4), (3, 40, 2))
"""Modbus function, first register, how many: what SCADA reads of every controller."""


def _poll(city: City, rng: random.Random) -> Scene:
    scada, controller = city.named("wtr-scada-01"), rng.choice(city.of("plc", "rtu"))
    connection = ends(scada, controller, 502, rng)
    read = partial(eve.modbus, sensor=SENSORS["water-ot"], flow=connection)
    return [
        (number * 0.3, Route.JSON, partial(read, function=function, address=address, value=quantity))
        for number, (function, address, quantity) in enumerate(POLLED)
    ]


def _set_point(city: City, rng: random.Random) -> Scene:
    """The engineering station, and nobody else, writes set points now and then."""
    station, controller = city.named("WTR-HMI-01"), rng.choice(city.of("plc"))
    connection = ends(station, controller, 502, rng)
    write = partial(eve.modbus, sensor=SENSORS["water-ot"], flow=connection, function=6, address=rng.randrange(20, 30))
    return [(0.0, Route.JSON, partial(write, value=rng.randrange(200, 800)))]


def _water_report(city: City, rng: random.Random) -> Scene:
    gateway, exchange = city.named("wtr-opc-01"), rng.choice(city.of("exchange"))
    connection = ends(gateway, exchange, 443, rng)
    tls = partial(eve.tls, sensor=SENSORS["data-platform"], flow=connection, name="exchange.lanting.example")
    return [session("FW-OT-01", connection, ("ot", "data")), (0.2, Route.JSON, tls)]


def _measurement(city: City, rng: random.Random) -> Scene:
    sensor, gateway = rng.choice(city.of("sensor")), rng.choice(city.within("env-sensor", "gateway"))
    air = sensor.name.startswith("env-air")
    values = {"pm25": rng.randrange(8, 60), "o3": rng.randrange(20, 120)} if air else {"ph": 7.2, "nh3n": rng.randrange(1, 9) / 10}
    message = json.dumps({"id": sensor.name, **values}, separators=(",", ":"))
    publish = partial(eve.mqtt, topic=f"env/{'air' if air else 'river'}/{sensor.name}", message=message)
    inside = partial(publish, sensor=SENSORS["env-sensor"], flow=ends(sensor, gateway, 1883, rng))
    broker = city.named("data-share-01")
    onward = partial(publish, sensor=SENSORS["data-platform"], flow=ends(gateway, broker, 1883, rng))
    return [(0.0, Route.JSON, inside), (0.4, Route.JSON, onward)]


def _traffic_count(city: City, rng: random.Random) -> Scene:
    return [flow(rng.choice(city.within("traffic-iot", "gateway")), city.named("data-share-02"), 8883, rng)]


def _keepalive(city: City, rng: random.Random) -> Scene:
    """GB/T 28181-2022 §9.6: a camera tells once a minute that it is there, in a MESSAGE."""
    return _asked(city, rng, "MESSAGE")


def _register(city: City, rng: random.Random) -> Scene:
    """GB/T 28181-2022 §9.1: registration is refused once, with a challenge, and then accepted."""
    return _asked(city, rng, "REGISTER")


def _asked(city: City, rng: random.Random, method: str) -> Scene:
    camera, platform = rng.choice(city.of("camera")), city.named("vms-sip-01")
    connection = (camera.ip, 5060, platform.ip, 5060)
    back = (platform.ip, 5060, camera.ip, 5060)
    target = f"sip:{platform.gb_id}@{GB_DOMAIN}"
    ask = partial(eve.sip, sensor=SENSORS["app-share"], flow=connection, method=method, target=target)
    told = partial(eve.sip, sensor=SENSORS["app-share"], flow=back, method=method, target=target)
    if method == "MESSAGE":
        return [(0.0, Route.JSON, ask), (0.05, Route.JSON, partial(told, code=200))]
    return [
        (0.0, Route.JSON, ask),
        (0.05, Route.JSON, partial(told, code=401)),
        (0.3, Route.JSON, ask),
        (0.35, Route.JSON, partial(told, code=200)),
    ]


def _watched(city: City, rng: random.Random) -> Scene:
    recorder, camera = rng.choice(city.of("nvr")), rng.choice(city.of("camera"))
    return [flow(recorder, camera, 554, rng, sent=6_000, received=rng.randrange(4_000_000, 40_000_000), seconds=60)]


def _signal(city: City, rng: random.Random) -> Scene:
    return [flow(city.named("tra-sig-srv-01"), rng.choice(city.of("signal")), 161, rng, proto="UDP", received=400, sent=300)]


HABITS = (
    Habit(_poll, 4_200, "steady"),
    Habit(_set_point, 12, "office"),
    Habit(_water_report, 400, "steady"),
    Habit(_measurement, 3_600, "steady"),
    Habit(_traffic_count, 500, "citizen"),
    Habit(_keepalive, 2_160, "steady"),
    Habit(_register, 36, "steady"),
    Habit(_watched, 700, "citizen"),
    Habit(_signal, 1_200, "steady"),
)
