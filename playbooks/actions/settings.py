"""What an installation allows and forbids actions on systems: [playbooks] of the configuration, typed for those who act.

Nothing here comes from a playbook. Who may write the configuration decides which hosts playbooks reach, and what they never touch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from kernel.config.playbooks import DnsServer as ConfiguredDnsServer
from kernel.config.playbooks import Playbooks
from playbooks.actions.protected import Network, networks


class DnsServer(msgspec.Struct, frozen=True):
    """How names are diverted on one kind of DNS server: files of ``folder``, tried by ``check``, put in force by ``reload``."""

    folder: str
    check: tuple[str, ...]
    reload: tuple[str, ...]


class AccountDirectory(msgspec.Struct, frozen=True):
    """The directory whose accounts are disabled. ``secret``: name of the password of ``bind_dn`` in the secret store."""

    url: str
    base_dn: str
    bind_dn: str
    kind: Literal["openldap", "ad"] = "openldap"
    start_tls: bool = True
    ca_file: Path | None = None
    secret: str = "directory"  # noqa: S105 — a name
    user_filter: str = "(uid={name})"
    protected: tuple[str, ...] = ()
    timeout: float = 10.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. The defaults are those of an installation that has configured nothing: nothing is reached.

    known_hosts     host keys of those hosts that may be reached by SSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT); None: none
    windows_ca      authorities that certificates of Windows hosts are checked by; None: those of the system
    protected       networks that are never blocked or isolated, beside those of ``protected.ALWAYS``
    management      what an isolated host may still speak to, beside the platform itself
    protected_domains  names that are never diverted, nor what is above or below them
    privilege       what commands begin with on hosts where the account is not root, e.g. ``sudo -n``
    local_firewall  whether a command without a target may change the packet filter of this very machine
    bash            whether scripts may run on this machine, in a sandbox
    sinkhole        addresses that diverted names get; none: such names do not exist any more
    """

    known_hosts: Path | None = None
    windows_ca: Path | None = None
    protected: tuple[Network, ...] = ()
    management: tuple[Network, ...] = ()
    privilege: tuple[str, ...] = ()
    local_firewall: bool = False
    bash: bool = False
    protected_domains: tuple[str, ...] = ()
    sinkhole: tuple[str, ...] = ()
    dns: dict[str, DnsServer] = msgspec.field(default_factory=lambda: _dns_servers(Playbooks()))
    directory: AccountDirectory | None = None


def settings_of(config: Playbooks) -> Settings:
    """The settings of a checked configuration."""
    directory = config.directory
    return Settings(
        known_hosts=config.known_hosts,
        windows_ca=config.windows_ca,
        protected=networks(config.protected_networks),
        management=networks(config.management_networks),
        privilege=tuple(config.privilege),
        local_firewall=config.local_firewall,
        bash=config.bash,
        protected_domains=tuple(config.protected_domains),
        sinkhole=tuple(config.sinkhole),
        dns=_dns_servers(config),
        directory=None
        if not directory.url
        else AccountDirectory(
            url=directory.url,
            base_dn=directory.base_dn,
            bind_dn=directory.bind_dn,
            kind=directory.kind,
            start_tls=directory.start_tls,
            ca_file=directory.ca_file,
            secret=directory.secret,
            user_filter=directory.user_filter,
            protected=tuple(directory.protected),
            timeout=directory.timeout_seconds,
        ),
    )


def _dns_servers(config: Playbooks) -> dict[str, DnsServer]:
    return {"dnsmasq": _dns(config.dnsmasq), "unbound": _dns(config.unbound)}


def _dns(server: ConfiguredDnsServer) -> DnsServer:
    return DnsServer(server.folder, tuple(server.check), tuple(server.reload))
