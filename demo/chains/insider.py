"""Attack: an administrator copies the population database through the bastion, and takes it out of the city from a desk."""

from __future__ import annotations

import random
from functools import partial

from demo import cloud, devices, eve, syslog
from demo.background.scene import SENSORS, session
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Build, Planned, Route

DUMP = "/" + "tmp/.p.sql.gz"
COMMANDS = (
    "sudo -u postgres pg_dump --data-only city -t base.person | gzip > " + DUMP,
    "history -c",
    "systemctl stop auditd",
)


def insider(city: City, rng: random.Random) -> list[Planned]:
    """About 50 seconds."""
    chain = Chain("insider")
    desk, jump = rng.choice(city.within("operations", "workstation")), city.named("ops-jump-01")
    database = city.named("pop-db-01")
    _log_in(chain, desk, jump, database)
    _export(chain, desk, jump, database)
    _hide(chain, desk, database)
    _take_away(chain, desk, database)
    return chain.records


def _log_in(chain: Chain, desk: Host, jump: Host, database: Host) -> None:
    chain.step("logs in through the bastion", 0, database, "T1078")
    login = partial(syslog.sshd_accepted, host=database.name, pid=61_200, user="ops.sun", source=jump.ip, port=52_022)
    chain.send(Route.TCP, partial(login, method="publickey"))
    chain.send(Route.TCP, partial(syslog.sshd_session, host=database.name, pid=61_200, user="ops.sun", opened=True))
    root = partial(syslog.sudo, host=database.name, user="ops.sun", directory="/home/ops.sun", command="/bin/bash")
    chain.send(Route.TCP, root, "sudo_root_shell")


def _export(chain: Chain, desk: Host, jump: Host, database: Host) -> None:
    chain.step("copies the population database", 6, database, "T1213.006")
    chain.send(Route.TCP, _typed(desk, database, COMMANDS[0]))
    words = ("pg_dump", "--data-only", "city", "-t", "base.person", "-f", DUMP)
    dumped = partial(syslog.auditd_execve, host=database.name, serial=90_411, arguments=words)
    chain.send(Route.TCP, dumped, "database_dumped")
    read = partial(cloud.database, host=database.name, user="postgres", source="[local]", verb="COPY", table="base.person")
    chain.send(Route.TCP, partial(read, statement="COPY base.person TO STDOUT", pid=61_300), "database_bulk_export", gap=3.0)
    carried = partial(eve.flow, sensor=SENSORS["data-platform"], flow=(jump.ip, 52_040, database.ip, 22), received=620_000_000)
    chain.send(Route.JSON, partial(carried, seconds=20))


def _hide(chain: Chain, desk: Host, database: Host) -> None:
    chain.step("switches the audit off", 6, database, "T1562.012")
    for command in COMMANDS[1:]:
        chain.send(Route.TCP, _typed(desk, database, command), "bastion_dangerous_command", gap=3.0)
    words = ("systemctl", "stop", "auditd")
    stopped = partial(syslog.auditd_execve, host=database.name, serial=90_460, arguments=words)
    chain.send(Route.TCP, stopped, "auditd_log_tamper", "audit_switched_off")


def _take_away(chain: Chain, desk: Host, database: Host) -> None:
    chain.step("takes the copy out of the city", 8, desk, "T1048")
    way = (desk.ip, 52_100, LOOT, 22)
    chain.send(*session("USG-EDGE-02", way, ("trust", "untrust"))[1:], "crossing_denied", gap=4.0)
    chain.send(Route.JSON, partial(eve.flow, sensor=SENSORS["operations"], flow=way, sent=610_000_000, received=40_000, seconds=25))


def _typed(desk: Host, server: Host, command: str) -> Build:
    typed = partial(devices.bastion_command, host="ops-jump-01", user="ops.sun", source=desk.ip)
    return partial(typed, server=(server.name, server.ip), account="root", command=command)
