"""Application layer: the office system, the shared application gateway, the video platform's viewers."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud, eve, syslog
from demo.background.citizens import BROWSERS
from demo.background.scene import SENSORS, Habit, Scene, ends, flow, session
from demo.city import City
from demo.plan import Route

OFFICE_PAGES = (
    "/seeyon/main.do?method=main",
    "/seeyon/collaboration/list.do",
    "/seeyon/doc/view.do?id=48213",
    "/seeyon/main/menu.js",
)
ABILITIES = ("/ability/idcard/verify", "/ability/sms/send", "/ability/geocode?addr=hall3", "/ability/seal/list")


def _office_system(city: City, rng: random.Random) -> Scene:
    client, server = rng.choice(city.within("egov-extranet", "workstation")), rng.choice(city.of("oa"))
    connection = ends(client, server, 443, rng)
    scene = [session("FW-EXTNET-01", connection, ("Trust", "App"), mac=client.mac)]
    for number in range(rng.randrange(1, 4)):
        request = f"GET {rng.choice(OFFICE_PAGES)} HTTP/1.1"
        seen = partial(syslog.nginx, host=server.name, source=connection[0], request=request, status=200, agent=BROWSERS[0])
        scene.append((0.2 + number * 1.5, Route.TCP, partial(seen, size=rng.randrange(2_000, 60_000))))
    return scene


def _ability(city: City, rng: random.Random) -> Scene:
    client, server = rng.choice(city.within("citizen-dmz", "app")), rng.choice(city.within("app-share", "app"))
    source, client_port, target, _ = ends(client, server, 8080, rng)
    call = partial(eve.http, sensor=SENSORS["app-share"], flow=(source, client_port, target, 8080), host="ability.lanting.example")
    return [(0.0, Route.JSON, partial(call, url=rng.choice(ABILITIES), agent="Java/17.0.12", kind="application/json"))]


def _shared_data(city: City, rng: random.Random) -> Scene:
    client, server = rng.choice(city.within("app-share", "app")), city.named("pop-db-01")
    connection = ends(client, server, 5432, rng)
    statement = "SELECT valid FROM person_check WHERE card_no = $1"
    audited = partial(cloud.database, host=server.name, user="ability", source=connection[0], verb="SELECT", statement=statement)
    return [
        session("FW-DC-01", connection, ("App", "Data")),
        (0.1, Route.TCP, partial(audited, table="base.person_check", pid=rng.randrange(2_000, 9_000))),
    ]


def _viewer(city: City, rng: random.Random) -> Scene:
    client = rng.choice(city.within("tra-private", "workstation"))
    return [flow(client, city.named("vms-sip-01"), 443, rng, received=rng.randrange(2_000_000, 9_000_000), seconds=60)]


HABITS = (
    Habit(_office_system, 2_600, "office"),
    Habit(_ability, 3_000, "citizen"),
    Habit(_shared_data, 1_500, "citizen"),
    Habit(_viewer, 300, "citizen"),
)
