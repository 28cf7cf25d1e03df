"""A normal working day: what the estate writes when nothing is wrong. No rule may fire on it.

A trickle of a few hundred kinds of records; :func:`background` yields them for ever, in time order, at a mean rate.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

from demo import network, syslog, windows
from demo.city import City, Host
from demo.plan import Build, Planned, Route

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
    ("/api/v2/notices?limit=20", 200, 5_870),
    ("/favicon.ico", 404, 153),
)
PROGRAMS = (
    (
        "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
        '"WINWORD.EXE" /n "C:\\Users\\Public\\Documents\\notice.docx"',
    ),
    ("C:\\Program Files\\Kingsoft\\WPS Office\\office6\\et.exe", '"et.exe" "D:\\budget\\2026-Q4.xlsx"'),
    ("C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe", '"msedge.exe" --type=renderer --lang=zh-CN'),
    ("C:\\Windows\\System32\\notepad.exe", '"notepad.exe" C:\\work\\todo.txt'),
    ("C:\\Windows\\explorer.exe", "C:\\Windows\\explorer.exe /factory,{75dff2b7-6936-4c06-a8bb-676a7b00b24b}"),
    ("C:\\Windows\\System32\\svchost.exe", "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule"),
    ("C:\\Windows\\System32\\taskhostw.exe", "taskhostw.exe KEYROAMING"),
)
SITES = (
    "www.lanting.example",
    "mail.lanting.example",
    "update.vendor.example",
    "map.service.example",
    "news.portal.example",
    "oa.lanting.example",
)
JOBS = (
    ("root", "/usr/lib/sysstat/debian-sa1 1 1"),
    ("root", "test -x /usr/sbin/anacron || run-parts /etc/cron.hourly"),
    ("backup", "/opt/backup/bin/nightly --incremental"),
    ("www-data", "/usr/bin/php /srv/portal/artisan schedule:run"),
)
ADMIN_COMMANDS = (
    "/usr/bin/systemctl status nginx",
    "/usr/bin/journalctl -u nginx --since today",
    "/usr/bin/apt-get update",
    "/usr/bin/systemctl reload nginx",
    "/usr/bin/df -h",
)
ADMINS = ("ops.zhou", "ops.qian", "deploy")
SENSOR = "sensor-core-01"
EXPLORER = "C:\\Windows\\explorer.exe"

Maker = Callable[[City, random.Random], tuple[Route, Build]]


def background(city: City, rng: random.Random, rate: float) -> Iterator[Planned]:
    """Endless benign records, ``rate`` a second on average (exponential gaps)."""
    makers = [maker for maker, _ in MIX]
    weights = [weight for _, weight in MIX]
    clock = 0.0
    while True:
        clock += rng.expovariate(rate)
        maker = rng.choices(makers, weights)[0]
        route, build = maker(city, rng)
        yield Planned(after=clock, route=route, build=build)


def _public(rng: random.Random) -> str:
    """A citizen's address (documentation ranges); one in four comes over IPv6."""
    if rng.random() < 0.25:
        return f"2001:db8:c1::{rng.randrange(1, 0xFFFF):x}"
    return f"{rng.choice(('198.51.100', '192.0.2'))}.{rng.randrange(1, 255)}"


def _staff(city: City, rng: random.Random) -> Host:
    return rng.choice(city.of("workstation"))


def _port(rng: random.Random) -> int:
    return rng.randrange(32_768, 60_999)


def _program(city: City, rng: random.Random) -> tuple[Route, Build]:
    host = _staff(city, rng)
    image, command = rng.choice(PROGRAMS)
    system = image.endswith(("svchost.exe", "taskhostw.exe"))
    parent = "C:\\Windows\\System32\\services.exe" if image.endswith("svchost.exe") else EXPLORER
    if image.endswith("taskhostw.exe"):
        parent = "C:\\Windows\\System32\\svchost.exe"
    user = "SYSTEM" if system else host.user
    return Route.JSON, partial(
        windows.process,
        host=host,
        user=user,
        image=image,
        command=command,
        parent=parent,
        parent_command=parent,
        pid=rng.randrange(1_000, 16_000) * 4,
    )


def _web_connection(city: City, rng: random.Random) -> tuple[Route, Build]:
    host = _staff(city, rng)
    target = "2001:db8:beef::443" if rng.random() < 0.3 else f"198.51.100.{rng.randrange(1, 255)}"
    return Route.JSON, partial(
        windows.connection,
        host=host,
        user=host.user,
        image=PROGRAMS[2][0],
        pid=rng.randrange(1_000, 16_000) * 4,
        target=(target, 443),
        port=_port(rng),
    )


def _logon(city: City, rng: random.Random) -> tuple[Route, Build]:
    client, server = _staff(city, rng), rng.choice(city.of("dc", "file"))
    if rng.random() < 0.4:
        return Route.JSON, partial(windows.logoff, host=server, user=client.user, logon_type=3)
    source = client.ip6 if rng.random() < 0.3 else client.ip
    return Route.JSON, partial(windows.logon, host=server, user=client.user, logon_type=3, source=source, port=_port(rng))


def _mistyped(city: City, rng: random.Random) -> tuple[Route, Build]:
    client, server = _staff(city, rng), rng.choice(city.of("dc"))
    return Route.JSON, partial(windows.logon_failed, host=server, user=client.user, source=client.ip, port=_port(rng))


def _question(city: City, rng: random.Random) -> tuple[Route, Build]:
    host, name = _staff(city, rng), rng.choice(SITES)
    if rng.random() < 0.5:
        return Route.JSON, partial(
            windows.dns,
            host=host,
            user=host.user,
            image=PROGRAMS[2][0],
            name=name,
            answer=f"198.51.100.{len(name)}",
            pid=rng.randrange(1_000, 16_000) * 4,
        )
    server = city.named("ops-dns-01")
    return Route.JSON, partial(
        network.eve_dns, sensor=SENSOR, source=host.ip, server=server.ip, port=_port(rng), name=name, kind=rng.choice(("A", "AAAA"))
    )


def _page(city: City, rng: random.Random) -> tuple[Route, Build]:
    page, status, size = rng.choice(PAGES)
    return Route.TCP, partial(
        syslog.nginx,
        host=rng.choice(city.of("web")).name,
        source=_public(rng),
        request=f"GET {page} HTTP/2.0",
        status=status,
        size=size,
        agent=rng.choice(BROWSERS),
        referrer="https://portal.lanting.example/" if rng.random() < 0.6 else "-",
    )


def _admin_login(city: City, rng: random.Random) -> tuple[Route, Build]:
    host, jump = rng.choice(city.of("web", "app", "db", "data")), city.named("ops-jump-01")
    pid, admin = rng.randrange(1_000, 60_000), rng.choice(ADMINS)
    source = jump.ip6 if rng.random() < 0.3 else jump.ip
    draw = rng.random()
    if draw < 0.45:
        return Route.TCP, partial(
            syslog.sshd_accepted, host=host.name, pid=pid, user=admin, source=source, port=_port(rng), method="publickey"
        )
    if draw < 0.99:
        return Route.TCP, partial(syslog.sshd_session, host=host.name, pid=pid, user=admin, opened=draw < 0.7)
    return Route.TCP, partial(syslog.sshd_failed, host=host.name, pid=pid, user=admin, source=source, port=_port(rng), known=True)


def _admin_command(city: City, rng: random.Random) -> tuple[Route, Build]:
    admin = rng.choice(ADMINS)
    host = rng.choice(city.of("web", "app", "db", "data"))
    return Route.TCP, partial(
        syslog.sudo, host=host.name, user=admin, directory=f"/home/{admin}", command=rng.choice(ADMIN_COMMANDS)
    )


def _job(city: City, rng: random.Random) -> tuple[Route, Build]:
    user, command = rng.choice(JOBS)
    host = rng.choice(city.of("web", "app", "db", "data", "jump"))
    return Route.UDP, partial(syslog.cron, host=host.name, pid=rng.randrange(1_000, 60_000), user=user, command=command)


def _edge(city: City, rng: random.Random) -> tuple[Route, Build]:
    web = rng.choice(city.of("web"))
    source = _public(rng)
    target = web.ip6 if ":" in source else web.ip
    if rng.random() < 0.5:
        return Route.UDP, partial(network.usg_session, host="USG-EDGE-01", flow=(source, _port(rng), target, 443), protocol="tcp")
    return Route.TCP, partial(
        network.usg_policy, host="USG-EDGE-01", permit=True, flow=(source, _port(rng), target, 443), zones=("untrust", "dmz")
    )


def _inner(city: City, rng: random.Random) -> tuple[Route, Build]:
    source, target = rng.choice(city.of("app", "web")), rng.choice(city.of("db", "data"))
    return Route.UDP, partial(
        network.comware_filter,
        host="FW-EXTNET-01",
        permit=True,
        flow=(source.ip, _port(rng), target.ip, 5432),
        zones=("DMZ", "Trust"),
    )


def _noise(city: City, rng: random.Random) -> tuple[Route, Build]:
    """The Internet knocks at closed doors all day; one knock is no sweep."""
    web = rng.choice(city.of("web"))
    source = f"192.0.2.{rng.randrange(1, 255)}"
    flow = (source, _port(rng), web.ip, rng.choice((22, 23, 445, 3389)))
    return Route.TCP, partial(network.usg_policy, host="USG-EDGE-01", permit=False, flow=flow, zones=("untrust", "dmz"))


def _poll(city: City, rng: random.Random) -> tuple[Route, Build]:
    scada, plc = city.named("wtr-scada-01"), rng.choice(city.of("plc"))
    return Route.JSON, partial(
        network.eve_modbus,
        sensor="sensor-water-01",
        flow=(scada.ip, _port(rng), plc.ip, 502),
        function=rng.choice((3, 4)),
        address=rng.randrange(0, 40),
        value=rng.choice((2, 4, 8)),
    )


MIX: tuple[tuple[Maker, int], ...] = (
    (_page, 28),
    (_program, 14),
    (_web_connection, 9),
    (_logon, 8),
    (_question, 12),
    (_edge, 10),
    (_inner, 6),
    (_poll, 5),
    (_job, 3),
    (_admin_login, 2),
    (_admin_command, 1),
    (_noise, 1),
    (_mistyped, 1),
)
"""What is made how often (parts of 100)."""
