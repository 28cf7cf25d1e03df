"""Ways into what probes look at: of the command ``compliance probe``, and of the targets that are looked at daily."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from cli.console_services import account_policy
from compliance.probes.reading.host import Here, There
from compliance.probes.reading.platform import Platform
from compliance.probes.reading.postgresql import PostgresqlServer
from compliance.probes.reading.tls import TlsEndpoint
from compliance.probes.target import LinuxHost, Target
from compliance.probing.bringing import brought
from compliance.probing.files import FOLDERS, Found, ReportFile, file_way, handed_in
from compliance.probing.models import FILES, REPORTS
from compliance.probing.running import WayTo
from compliance.probing.schema import TargetRecord
from crypto.secret import MasterKey
from kernel.config import Config
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.programs.ssh import Login
from kernel.programs.ssh_host import SshHost, read_host
from playbooks.actions.contract import Destination, Secrets
from playbooks.vault import service as vault

Secret = Callable[[str, SshHost | None], str]
"""A secret of the store by its name, for a host that it has to be meant for."""


def secret_of(store: Secrets) -> Secret:
    """The secrets of playbooks, each handed out for the hosts that it was set for only."""
    return lambda name, host: store(name, None if host is None else [Destination(host.name, host.port)])


def ways(database: Database, config: Config, key: MasterKey) -> WayTo:
    """What makes the way into a target; secrets are taken out when the object is asked, and forgotten afterwards."""
    secret = secret_of(vault.secrets(database, key))

    def file_of(target: TargetRecord) -> AbstractContextManager[Found]:
        if not target.place:
            return brought(database, key, target.id)
        return handed_in(config.compliance.folder, target.place, folders=target.way in FOLDERS)

    def way_to(target: TargetRecord) -> Target | ReportFile:
        if target.way in FILES or target.way in REPORTS:
            return file_way(target, lambda: file_of(target), config.compliance.file_days)
        if target.way == "platform":
            return Platform(database, config, account_policy(config))
        if target.way == "local":
            return LinuxHost("localhost", Here())
        if target.way == "tls":
            endpoint = read_host(target.place)
            return TlsEndpoint(endpoint.name, endpoint.port, ca=target.ca)
        if target.way == "postgresql":
            return PostgresqlServer(target.secret, lambda: secret(target.secret, None))
        known = config.playbooks.known_hosts
        if known is None:
            raise LiandunError("no host may be reached by ssh", "set [playbooks] known_hosts")
        login: Callable[[SshHost], Login] = lambda host: Login(target.login, secret(target.secret, host))  # noqa: E731
        return LinuxHost(target.place, There(read_host(target.place), login, known, tuple(config.playbooks.privilege)))

    return way_to
