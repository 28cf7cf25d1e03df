"""Network layer: people at their desks in the e-government extranet, the bureaus' private networks, telephones on the road."""

from __future__ import annotations

import random
from functools import partial

from demo import devices, eve, windows
from demo.background.scene import SENSORS, VLANS, Habit, Scene, citizen, ends, flow, port, session, website
from demo.city import City, Host
from demo.plan import Route

EDGE = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"
EXPLORER, SERVICES = "C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\services.exe"
SVCHOST = "C:\\Windows\\System32\\svchost.exe"
PROGRAMS = (
    # image, command line, parent
    (
        "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
        '"WINWORD.EXE" /n "C:\\Users\\Public\\Documents\\notice.docx"',
        EXPLORER,
    ),
    ("C:\\Program Files\\Kingsoft\\WPS Office\\office6\\et.exe", '"et.exe" "D:\\budget\\2026-Q4.xlsx"', EXPLORER),
    (EDGE, '"msedge.exe" --type=renderer --lang=zh-CN', EXPLORER),
    ("C:\\Windows\\System32\\notepad.exe", '"notepad.exe" C:\\work\\todo.txt', EXPLORER),
    ("C:\\Windows\\explorer.exe", "C:\\Windows\\explorer.exe /factory,{75dff2b7-6936-4c06-a8bb-676a7b00b24b}", EXPLORER),
    (SVCHOST, "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule", SERVICES),
    ("C:\\Windows\\System32\\taskhostw.exe", "taskhostw.exe KEYROAMING", SVCHOST),
)
SITES = (
    "www.lanting.example",
    "update.vendor.example",
    "map.service.example",
    "news.portal.example",
    "weather.service.example",
    "cdn.vendor.example",
)
DOCUMENTS = ("budget\\2026-Q4.xlsx", "公文\\通知.docx", "meeting\\minutes.docx", "plan\\road-works.pptx", "scan\\0413.pdf")
CALM = ("病毒库已更新", "快速扫描完成", "补丁安装成功")


def _desk(city: City, rng: random.Random) -> Host:
    return rng.choice(city.within("egov-extranet", "workstation"))


def _pid(rng: random.Random) -> int:
    return rng.randrange(1_000, 16_000) * 4


def _program(city: City, rng: random.Random) -> Scene:
    host = rng.choice(city.of("workstation"))
    image, command, parent = rng.choice(PROGRAMS)
    user = "SYSTEM" if image.endswith(("svchost.exe", "taskhostw.exe")) else host.user
    started = partial(windows.process, host=host, user=user, image=image, command=command, parent=parent, parent_command=parent)
    return [(0.0, Route.JSON, partial(started, pid=_pid(rng)))]


def _browse(city: City, rng: random.Random) -> Scene:
    """Name, connection, and the edge firewall's word on it."""
    host, name, target = _desk(city, rng), rng.choice(SITES), website(rng)
    client = host.ip6 if ":" in target else host.ip
    pid, client_port = _pid(rng), port(rng)
    asked = partial(windows.dns, host=host, user=host.user, image=EDGE, name=name, answer=target, pid=pid)
    opened = partial(windows.connection, host=host, user=host.user, image=EDGE, pid=pid, target=(target, 443), port=client_port)
    seen = session(rng.choice(("USG-EDGE-01", "USG-EDGE-02")), (client, client_port, target, 443), ("trust", "untrust"))
    return [(0.0, Route.JSON, asked), (0.1, Route.JSON, opened), (0.2, *seen[1:])]


def _question(city: City, rng: random.Random) -> Scene:
    host, server = _desk(city, rng), rng.choice(city.of("dns"))
    source, client_port, target, _ = ends(host, server, 53, rng)
    question = partial(eve.dns, source=source, server=target, port=client_port, name=rng.choice(SITES))
    return [(0.0, Route.JSON, partial(question, sensor=SENSORS["operations"], kind=rng.choice(("A", "AAAA"))))]


def _logon(city: City, rng: random.Random) -> Scene:
    client, server = _desk(city, rng), rng.choice(city.of("dc", "file"))
    source, client_port, _, _ = ends(client, server, 445, rng)
    on = partial(windows.logon, host=server, user=client.user, logon_type=3, source=source, port=client_port)
    off = partial(windows.logoff, host=server, user=client.user, logon_type=3)
    return [(0.0, Route.JSON, on), (rng.uniform(20, 400), Route.JSON, off)]


def _mistyped(city: City, rng: random.Random) -> Scene:
    client, server = _desk(city, rng), rng.choice(city.of("dc"))
    return [(0.0, Route.JSON, partial(windows.logon_failed, host=server, user=client.user, source=client.ip, port=port(rng)))]


def _document(city: City, rng: random.Random) -> Scene:
    client, server = _desk(city, rng), rng.choice(city.of("file"))
    share = f"\\\\{server.name}\\share"
    opened = partial(
        eve.smb, sensor=SENSORS["egov-extranet"], command="SMB2_COMMAND_CREATE", share=share, name=rng.choice(DOCUMENTS)
    )
    return [(0.0, Route.JSON, partial(opened, flow=ends(client, server, 445, rng))), (3.0, *flow(client, server, 445, rng)[1:])]


def _mail(city: City, rng: random.Random) -> Scene:
    return [flow(_desk(city, rng), city.named("ops-mail-01"), rng.choice((993, 993, 993, 587)), rng)]


def _lease(city: City, rng: random.Random) -> Scene:
    """A desk asks for its address again (DHCP), on the extranet or a private network."""
    host = rng.choice(city.of("workstation"))
    zone = host.zone
    server = city.named("SW-CORE-01") if zone == "egov-extranet" else next(iter(city.within(zone, "switch")))
    vlan = next((net for net in VLANS[zone] if host.ip.startswith(f"10.{net}.")), VLANS[zone][0])
    told = partial(eve.dhcp, sensor=SENSORS[zone], vlan=vlan, mac=host.mac, address=host.ip, server=server.ip, name=host.name)
    return [(0.0, Route.JSON, partial(told, answer=False)), (0.02, Route.JSON, partial(told, answer=True))]


def _portal(city: City, rng: random.Random) -> Scene:
    """An official uses the citizens' portal from inside."""
    client, server = _desk(city, rng), rng.choice(city.of("web"))
    connection = ends(client, server, 443, rng)
    return [session("FW-EXTNET-01", connection, ("Trust", "DMZ"), mac="")]


def _treasury(city: City, rng: random.Random) -> Scene:
    """A private network works inside itself …"""
    zone = rng.choice(("fin-private", "hea-private"))
    client, server = rng.choice(city.within(zone, "workstation")), rng.choice(city.within(zone, "app"))
    return [flow(client, server, 443, rng), (0.5, *flow(server, rng.choice(city.within(zone, "db")), 5432, rng)[1:])]


def _contribution(city: City, rng: random.Random) -> Scene:
    """… and brings its figures to the data platform."""
    server, exchange = (
        rng.choice(city.within(rng.choice(("fin-private", "tra-private", "hea-private")), "app")),
        city.of("exchange"),
    )
    connection = ends(server, rng.choice(exchange), 443, rng)
    return [session("FW-PRIVATE-01", connection, ("private", "data"))]


def _on_the_road(city: City, rng: random.Random) -> Scene:
    terminal, server = rng.choice(city.of("mobile")), rng.choice(city.of("oa", "web"))
    connection = ends(terminal, server, 443, rng)
    return [session("USG-EDGE-02", connection, ("mobile", "app")), (2.0, *flow(terminal, server, 443, rng)[1:])]


def _remote_office(city: City, rng: random.Random) -> Scene:
    """Somebody works from home through the VPN."""
    gateway = city.named("VPN-EDGE-01")
    outside = citizen(rng)
    target = gateway.address(":" in outside)
    inner = f"10.10.8.{rng.randrange(10, 60)}"
    office = rng.choice(city.of("oa"))
    return [
        session("USG-EDGE-01", (outside, port(rng), target, 443), ("untrust", "dmz")),
        (1.0, *session("FW-EXTNET-01", (inner, port(rng), office.ip, 443), ("DMZ", "Trust"))[1:]),
    ]


def _endpoint(city: City, rng: random.Random) -> Scene:
    host = rng.choice(city.of("workstation"))
    told = partial(devices.qianxin_event, host=host.name, address=host.ip, user=host.user, name=rng.choice(CALM), severity=1)
    return [(0.0, Route.TCP, partial(told, path="C:\\Program Files\\TianQing\\update.dat"))]


HABITS = (
    Habit(_program, 13_000, "office"),
    Habit(_browse, 5_000, "office"),
    Habit(_question, 4_000, "office"),
    Habit(_logon, 2_600, "office"),
    Habit(_mistyped, 40, "office"),
    Habit(_document, 2_200, "office"),
    Habit(_mail, 1_400, "office"),
    Habit(_lease, 300, "office"),
    Habit(_portal, 1_200, "office"),
    Habit(_treasury, 1_200, "office"),
    Habit(_contribution, 900, "steady"),
    Habit(_on_the_road, 500, "citizen"),
    Habit(_remote_office, 200, "citizen"),
    Habit(_endpoint, 150, "office"),
)
