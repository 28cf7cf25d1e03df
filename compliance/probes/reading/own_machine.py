"""Parts about the machine that the platform runs on: its processes, disk, clock, keys, and where it listens."""

from __future__ import annotations

import ipaddress
import shutil
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from compliance.probes.formats.platform import Clock, EndingFact, Endpoint, Keys, Links, Machine, RoleFact
from crypto.errors import SecretError
from kernel.config import Config
from kernel.errors import LiandunError
from kernel.event import timestamp
from kernel.health import read_health
from kernel.layout import Layout
from kernel.master_key import key_file
from kernel.system_clock import ClockState
from operations.certificates.expiry import expiring, expiring_files
from operations.secrets.tables import COLUMNS, count

ROLES: tuple[str, ...] = ("worker", "ingest", "scheduler", "playbooks", "console")
WARN_DAYS = (30,)


def machine(config: Config, layout: Layout) -> Machine:
    """Processes as they tell of themselves; the disk of the data directory."""
    told = read_health(layout.health)
    wanted = [*ROLES, *(["links"] if config.links.listener else [])]
    disk = shutil.disk_usage(layout.root)
    roles = [RoleFact(name, name in told and told[name].alive, told[name].problem if name in told else "") for name in wanted]
    waiting = sum(map(_size, layout.spool.rglob("*")))
    return Machine(tuple(roles), disk.total, disk.free, waiting, int(config.ingest.spool_gib * (1 << 30)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # the worker has taken it meanwhile
        return 0


def clock(found: ClockState | None) -> Clock:
    """Raises LiandunError where the kernel does not say."""
    if found is None:
        raise LiandunError("the kernel does not say whether the clock is kept right", "look at chronyc tracking")
    return Clock(found.synchronised, found.error_seconds)


def keys(session: Session, config: Config, layout: Layout) -> Keys:
    """The master key and what it seals. Nothing is opened but the key itself."""
    file, problem = key_file(config), ""
    contents = file.read()
    try:
        file.reveal(contents.active)
    except SecretError as error:
        problem = str(error)
    sealed = sum(sum(count(session, column).generations.values()) for column in COLUMNS)
    mode = f"{layout.master_key.stat().st_mode & 0o777:04o}"
    return Keys(contents.active.keeper, mode, len(contents.generations), problem, sealed)


def links(session: Session, config: Config, now: str) -> Links:
    """Where it listens by its configuration, and certificates that end within 30 days."""
    syslog, console = config.ingest.syslog, config.console
    plain = [("syslog-tcp", syslog.tcp_port), ("syslog-udp", syslog.udp_port)]
    found = [Endpoint(name, syslog.host, port, "", _is_remote(syslog.host)) for name, port in plain if port]
    found += [Endpoint(one.id, one.host, one.port, one.suite, _is_remote(one.host)) for one in config.links.listener]
    proxied = "https" if console.public_url.startswith("https://") else ""
    found.append(Endpoint("console", console.host, console.port, proxied, _is_remote(console.host)))
    moment = datetime.fromisoformat(now)
    files = [("link", path) for settings in (config.links, *config.links.listener) for path in _files(settings)]
    files += [("file", path) for path in config.certificates.watch]
    watched, unreadable = expiring_files(files, moment.astimezone(UTC), WARN_DAYS)
    ending = [*expiring(session, moment.astimezone(UTC), WARN_DAYS), *watched]
    told = [EndingFact(one.kind, one.place, timestamp(one.not_after), one.days_left) for one in ending]
    return Links(tuple(found), tuple(told), tuple(unreadable))


def _files(settings: object) -> list[Path]:
    names = ("certificate", "enc_certificate", "ca", "crl")
    return [path for path in (getattr(settings, name) for name in names) if path is not None]


def _is_remote(host: str) -> bool:
    """Whether others than this machine can come in."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
