"""Citizen services: the portal, the telephone application, their database, and the Internet knocking at closed doors."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud, devices, syslog
from demo.background.scene import Habit, Scene, citizen, ends, port, session
from demo.city import City
from demo.plan import Route

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; V2324A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
PAGES = (
    ("/", 200, 18_230),
    ("/portal/services", 200, 9_120),
    ("/portal/services/household-register", 200, 7_460),
    ("/portal/appointments?date=today&hall=3", 200, 3_310),
    ("/portal/social-security/balance", 302, 0),
    ("/portal/login", 200, 4_102),
    ("/portal/static/app.4f1c.js", 304, 0),
    ("/portal/static/logo.svg", 200, 2_816),
    ("/portal/search?q=%E8%BA%AB%E4%BB%BD%E8%AF%81&page=2", 200, 11_040),
    ("/portal/uploads/guide-2026.pdf", 200, 482_113),
    ("/favicon.ico", 404, 153),
)
CALLS = (
    ("GET /api/v2/notices?limit=20", 200, 5_870),
    ("POST /api/v2/session", 200, 611),
    ("GET /api/v2/queue/hall-3", 200, 402),
    ("POST /api/v2/appointments", 201, 288),
    ("GET /api/v2/medical/card", 200, 1_904),
)
APPLICATION = "LantingApp/4.2.1 (Android 15; okhttp/4.12.0)"
QUERIES = (
    ("SELECT", "public.application", "SELECT id, state FROM application WHERE citizen_id = $1"),
    ("SELECT", "public.citizen", "SELECT name, card_no FROM citizen WHERE id = $1"),
    ("INSERT", "public.appointment", "INSERT INTO appointment (citizen_id, hall, slot) VALUES ($1, $2, $3)"),
    ("UPDATE", "public.application", "UPDATE application SET state = $1 WHERE id = $2"),
    ("SELECT", "public.notice", "SELECT title FROM notice ORDER BY published DESC LIMIT 20"),
)
CLOSED = (22, 23, 445, 3389)


def _visit(city: City, rng: random.Random) -> Scene:
    """A citizen reads three to seven pages; the edge firewall tells of the connection."""
    web, source, browser = rng.choice(city.within("citizen-dmz", "web")[:3]), citizen(rng), rng.choice(BROWSERS)
    connection = (source, port(rng), web.address(":" in source), 443)
    if rng.random() < 0.5:
        scene = [session("USG-EDGE-01", connection, ("untrust", "dmz"))]
    else:
        permit = partial(devices.usg_policy, host="USG-EDGE-01", permit=True, flow=connection, zones=("untrust", "dmz"))
        scene = [(0.0, Route.TCP, permit)]
    clock = 0.2
    for number in range(rng.randrange(3, 8)):
        page, status, size = rng.choice(PAGES)
        seen = partial(syslog.nginx, host=web.name, source=source, request=f"GET {page} HTTP/2.0", status=status, size=size)
        referrer = "https://portal.lanting.example/" if number else "-"
        scene.append((clock, Route.TCP, partial(seen, agent=browser, referrer=referrer)))
        clock += rng.uniform(0.3, 9.0)
    return scene


def _application(city: City, rng: random.Random) -> Scene:
    source = citizen(rng)
    scene: Scene = []
    for number in range(rng.randrange(1, 4)):
        call, status, size = rng.choice(CALLS)
        seen = partial(syslog.nginx, host="app-gw-01", source=source, request=f"{call} HTTP/2.0", status=status, size=size)
        scene.append((number * rng.uniform(0.2, 2.0), Route.TCP, partial(seen, agent=APPLICATION)))
    return scene


def _query(city: City, rng: random.Random) -> Scene:
    """The portal asks its database: the data platform's firewall and the database audit tell of it."""
    client, server = rng.choice(city.within("citizen-dmz", "app")), rng.choice(city.within("data-platform", "db")[:2])
    connection = ends(client, server, 5432, rng)
    verb, table, statement = rng.choice(QUERIES)
    audited = partial(cloud.database, host=server.name, user="portal", source=connection[0], verb=verb, table=table)
    return [
        session("FW-DC-01", connection, ("DMZ", "Data")),
        (0.1, Route.TCP, partial(audited, statement=statement, pid=rng.randrange(2_000, 9_000))),
    ]


def _knock(city: City, rng: random.Random) -> Scene:
    """The Internet knocks at closed doors all day; one knock is no sweep."""
    web = rng.choice(city.of("web"))
    closed = (f"192.0.2.{rng.randrange(1, 255)}", port(rng), web.ip, rng.choice(CLOSED))
    denied = partial(devices.usg_policy, host="USG-EDGE-01", permit=False, flow=closed, zones=("untrust", "dmz"))
    return [(0.0, Route.TCP, denied)]


def _crawler(city: City, rng: random.Random) -> Scene:
    web = rng.choice(city.of("web"))
    met = (citizen(rng), port(rng), web.ip, 443)
    if ":" in met[0]:
        met = (met[0], met[1], web.ip6, 443)
    stopped = partial(devices.sangfor_event, host="AF-EDGE-01", flow=met, kind="网页爬虫", url="portal.lanting.example/robots.txt")
    return [(0.0, Route.UDP, stopped)]


HABITS = (
    Habit(_visit, 3_600, "citizen"),
    Habit(_application, 4_000, "citizen"),
    Habit(_query, 4_500, "citizen"),
    Habit(_knock, 300, "steady"),
    Habit(_crawler, 40, "steady"),
)
