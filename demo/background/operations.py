"""Operations: administrators on the bastion, monitoring, names and time, jobs, backups at night, care of the network devices."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud, devices, eve, syslog
from demo.background.scene import SENSORS, Habit, Scene, ends, flow, port
from demo.city import City
from demo.plan import Route

JOBS = (
    ("root", "/usr/lib/sysstat/debian-sa1 1 1"),
    ("root", "test -x /usr/sbin/anacron || run-parts /etc/cron.hourly"),
    ("backup", "/opt/backup/bin/nightly --incremental"),
    ("www-data", "/usr/bin/php /srv/portal/artisan schedule:run"),
)
COMMANDS = (
    "/usr/bin/systemctl status nginx",
    "/usr/bin/journalctl -u nginx --since today",
    "/usr/bin/apt-get update",
    "/usr/bin/systemctl reload nginx",
    "/usr/bin/df -h",
)
ADMINS = ("ops.zhou", "ops.qian", "deploy")
MONITORED = ("egov-extranet", "internet-edge", "gov-cloud", "data-platform", "app-share", "citizen-dmz")
SERVED = ("citizen-dmz", "app-share", "gov-cloud", "data-platform", "internet-edge")
DEVICE_COMMANDS = ("display interface brief", "display cpu-usage", "display logbuffer", "display security-policy rule all")


def _administration(city: City, rng: random.Random) -> Scene:
    """An administrator logs in through the bastion, runs a command or two as root and leaves."""
    server, jump = rng.choice(city.of("web", "app", "db", "data", "node")), city.named("ops-jump-01")
    if server.zone in ("fin-private", "tra-private", "hea-private"):
        return []
    desk, admin, pid = rng.choice(city.within("operations", "workstation")), rng.choice(ADMINS), rng.randrange(1_000, 60_000)
    source, client_port, _, _ = ends(jump, server, 22, rng)
    login = partial(
        syslog.sshd_accepted, host=server.name, pid=pid, user=admin, source=source, port=client_port, method="publickey"
    )
    scene: Scene = []
    clock = 0.0
    if rng.random() < 0.02:
        wrong = partial(syslog.sshd_failed, host=server.name, pid=pid, user=admin, source=source, port=client_port, known=True)
        scene, clock = [(0.0, Route.TCP, wrong)], 4.0
    scene.append((clock, Route.TCP, login))
    scene.append((clock + 0.1, Route.TCP, partial(syslog.sshd_session, host=server.name, pid=pid, user=admin, opened=True)))
    for _ in range(rng.randrange(1, 3)):
        clock += rng.uniform(4, 30)
        command = rng.choice(COMMANDS)
        typed = partial(devices.bastion_command, host="ops-jump-01", user=admin, source=desk.ip, server=(server.name, server.ip))
        scene.append((clock, Route.TCP, partial(typed, account=admin, command=f"sudo {command}")))
        root = partial(syslog.sudo, host=server.name, user=admin, directory=f"/home/{admin}", command=command)
        scene.append((clock + 0.2, Route.TCP, root))
    ended = partial(syslog.sshd_session, host=server.name, pid=pid, user=admin, opened=False)
    scene.append((clock + rng.uniform(5, 60), Route.TCP, ended))
    return scene


def _device(city: City, rng: random.Random) -> Scene:
    """A look at a firewall or switch, over SSH."""
    desk, admin, command = rng.choice(city.within("operations", "workstation")), rng.choice(ADMINS[:2]), rng.choice(DEVICE_COMMANDS)
    if rng.random() < 0.5:
        looked = partial(devices.vrp_command, host="USG-EDGE-01", source=desk.ip, user=admin, command=command)
        return [(0.0, Route.TCP, looked)]
    host = rng.choice(("FW-EXTNET-01", "FW-DC-01", "SW-CORE-01"))
    login = partial(devices.comware_login, host=host, source=desk.ip, user=admin, failed=False)
    looked = partial(devices.comware_command, host=host, source=desk.ip, user=admin, command=command)
    return [(0.0, Route.TCP, login), (6.0, Route.TCP, looked)]


def _cron(city: City, rng: random.Random) -> Scene:
    user, command = rng.choice(JOBS)
    host = rng.choice(city.of("web", "app", "db", "data", "jump", "node"))
    return [(0.0, Route.UDP, partial(syslog.cron, host=host.name, pid=rng.randrange(1_000, 60_000), user=user, command=command))]


def _monitoring(city: City, rng: random.Random) -> Scene:
    target = rng.choice(city.within(rng.choice(MONITORED)))
    monitor = city.named("ops-mon-01")
    if target.kind in ("switch", "firewall", "vpn", "waf", "balancer", "printer"):
        return [flow(monitor, target, 161, rng, proto="UDP", sent=320, received=480)]
    return [flow(monitor, target, 10_050, rng, sent=280, received=220)]


def _name(city: City, rng: random.Random) -> Scene:
    client, server = rng.choice(city.within(rng.choice(SERVED))), rng.choice(city.of("dns"))
    source, client_port, target, _ = ends(client, server, 53, rng)
    name = rng.choice(
        ("portal-db-01.lanting.example", "ops-log-01.lanting.example", "exchange.lanting.example", "ntp.lanting.example")
    )
    asked = partial(eve.dns, sensor=SENSORS["operations"], source=source, server=target, port=client_port, name=name)
    return [(0.0, Route.JSON, partial(asked, kind=rng.choice(("A", "AAAA"))))]


def _time(city: City, rng: random.Random) -> Scene:
    client = rng.choice(city.hosts)
    return (
        [flow(client, city.named("ops-dns-01"), 123, rng, proto="UDP", sent=90, received=90)] if client.zone != "operations" else []
    )


def _backup(city: City, rng: random.Random) -> Scene:
    source = city.named("ops-bak-01")
    if rng.random() < 0.5:
        return [flow(source, rng.choice(city.of("storage")), 9000, rng, sent=rng.randrange(10**7, 10**9), seconds=600)]
    database = rng.choice(city.within("data-platform", "db"))
    read = partial(cloud.database, host=database.name, user="backup", source=source.ip, verb="SELECT", table="pg_catalog.pg_class")
    return [
        flow(source, database, 5432, rng, received=rng.randrange(10**7, 10**9), seconds=600),
        (0.5, Route.TCP, partial(read, statement="SELECT pg_backup_start($1)", pid=rng.randrange(2_000, 9_000))),
    ]


def _mail_from_outside(city: City, rng: random.Random) -> Scene:
    server = city.named("ops-mail-01")
    incoming = (f"198.51.100.{rng.randrange(1, 255)}", port(rng), server.ip, 25)
    return [(0.0, Route.UDP, partial(devices.usg_session, host="USG-EDGE-01", flow=incoming, protocol="tcp"))]


HABITS = (
    Habit(_administration, 110, "office"),
    Habit(_device, 40, "office"),
    Habit(_cron, 1_200, "steady"),
    Habit(_monitoring, 3_000, "steady"),
    Habit(_name, 4_000, "steady"),
    Habit(_time, 900, "steady"),
    Habit(_backup, 160, "night"),
    Habit(_mail_from_outside, 300, "citizen"),
)
