"""[playbooks]: which systems playbooks may act on, and what they never touch."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.names import is_host, is_network


class DnsServer(msgspec.Struct, forbid_unknown_fields=True):
    """[playbooks.dnsmasq], [playbooks.unbound] — how names are diverted there.

    folder  where files of the server's configuration are read from
    check   command that says whether the configuration is right, before it is put in force
    reload  command that puts it in force
    """

    folder: str = ""
    check: list[str] = []
    reload: list[str] = []


class AccountDirectory(msgspec.Struct, forbid_unknown_fields=True):
    """[playbooks.directory] — the directory whose accounts playbooks may disable. ``url`` "" = none.

    kind         openldap (pwdAccountLockedTime of the password policy) or ad (userAccountControl)
    start_tls    with ldap://: the connection is sealed before anything is sent; without it only ldaps:// is accepted
    bind_dn      who changes accounts; ``secret`` is the name of its password in the secret store of playbooks
    user_filter  ``{name}`` stands for the (escaped) name of the account
    protected    names that are never disabled, e.g. of emergency and service accounts
    """

    url: str = ""
    kind: Literal["openldap", "ad"] = "openldap"
    start_tls: bool = True
    ca_file: Path | None = None
    bind_dn: str = ""
    secret: str = "directory"  # noqa: S105 — a name
    base_dn: str = ""
    user_filter: str = "(uid={name})"
    protected: list[str] = []
    timeout_seconds: float = 10.0


def _dnsmasq() -> DnsServer:
    return DnsServer("/etc/dnsmasq.d", ["/usr/sbin/dnsmasq", "--test"], ["systemctl", "restart", "dnsmasq"])


def _unbound() -> DnsServer:
    return DnsServer("/etc/unbound/unbound.conf.d", ["/usr/sbin/unbound-checkconf"], ["/usr/sbin/unbound-control", "reload"])


class Playbooks(msgspec.Struct, forbid_unknown_fields=True):
    """[playbooks] — which systems playbooks may act on. See docs/playbooks.md, "Actions on systems".

    known_hosts          file of host keys: the hosts that may be reached by SSH, no others
    windows_ca           file of authorities (PEM) that vouch for Windows hosts; without it those of the system do
    protected_networks   never blocked, and hosts in them never isolated: management, gateways, name servers
    protected_domains    names that are never diverted, nor what is above or below them: the city's own
    management_networks  what an isolated host may still speak to
    privilege            what commands begin with on hosts where the login is not root, e.g. ["sudo", "-n"]
    local_firewall       whether playbooks may change the packet filter of this very machine
    bash                 whether playbooks may run scripts on this machine, in a sandbox
    sinkhole             addresses that diverted names get; none: such names do not exist any more
    allowed_networks     networks that HTTP commands may go to beside the public internet, and those of Windows hosts
    plain_hosts          hosts in these networks that may be asked by HTTP without TLS, e.g. "cam.example.cn:8080"
    workers              commands that are carried out at the same time
    automatic            kinds of commands that need nobody's agreement outside of industrial control zones
    approval_minutes     how long people may take to agree, where the playbook does not say
    keep_days            how long ended runs and their journals are kept
    """

    known_hosts: Path | None = None
    windows_ca: Path | None = None
    protected_networks: list[str] = []
    protected_domains: list[str] = []
    management_networks: list[str] = []
    privilege: list[str] = []
    local_firewall: bool = False
    bash: bool = False
    sinkhole: list[str] = []
    allowed_networks: list[str] = []
    plain_hosts: list[str] = []
    workers: int = 8
    automatic: list[str] = []
    approval_minutes: int = 60
    keep_days: int = 365
    dnsmasq: DnsServer = msgspec.field(default_factory=_dnsmasq)
    unbound: DnsServer = msgspec.field(default_factory=_unbound)
    directory: AccountDirectory = msgspec.field(default_factory=AccountDirectory)


def check_playbooks(playbooks: Playbooks, mistakes: Mistakes) -> None:
    for name in ("known_hosts", "windows_ca"):
        file: Path | None = getattr(playbooks, name)
        if file is not None and not _is_plain_path(str(file)):
            mistakes.add(f"playbooks.{name}", "must be a whole path, without quotation marks and line ends")
    for name in ("protected_networks", "management_networks", "allowed_networks"):
        for network in getattr(playbooks, name):
            if not is_network(network):
                mistakes.add(f"playbooks.{name}", f"{network!r} is no network, write e.g. 10.9.0.0/16 or 2001:db8:9::/48")
    for host in playbooks.plain_hosts:
        if not is_host(host):
            mistakes.add("playbooks.plain_hosts", f"{host!r} is no host, write e.g. cam.example.cn:8080 or [2001:db8:9::7]:80")
    for name in playbooks.protected_domains:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,253}", name):
            mistakes.add("playbooks.protected_domains", f"{name!r} is no domain name")
    for address in playbooks.sinkhole:
        if not _is_address(address):
            mistakes.add("playbooks.sinkhole", f"{address!r} is no address")
    for name, least, most in (("workers", 1, 64), ("approval_minutes", 1, 10_080), ("keep_days", 1, 3_650)):
        if not least <= getattr(playbooks, name) <= most:
            mistakes.add(f"playbooks.{name}", f"{getattr(playbooks, name)} is not between {least} and {most:,}")
    for name in ("dnsmasq", "unbound"):
        server: DnsServer = getattr(playbooks, name)
        if not _is_plain_path(server.folder):
            mistakes.add(f"playbooks.{name}.folder", "must be a whole path, without quotation marks and line ends")
        if not server.check or not server.reload:
            mistakes.add(f"playbooks.{name}", "check and reload are commands, as lists")
    _check_directory(playbooks.directory, mistakes)


def _check_directory(directory: AccountDirectory, mistakes: Mistakes) -> None:
    if not directory.url:
        return
    parts = urlsplit(directory.url)
    if not parts.hostname or not (parts.scheme == "ldaps" or (parts.scheme == "ldap" and directory.start_tls)):
        mistakes.add("playbooks.directory.url", "passwords travel sealed only: ldaps://HOST, or ldap://HOST with start_tls = true")
    for name in ("bind_dn", "base_dn", "secret"):
        if not getattr(directory, name):
            mistakes.add(f"playbooks.directory.{name}", "is needed with a url")
    if "{name}" not in directory.user_filter:
        mistakes.add("playbooks.directory.user_filter", "must hold {name}")
    if not 1 <= directory.timeout_seconds <= 300:
        mistakes.add("playbooks.directory.timeout_seconds", f"{directory.timeout_seconds} is not between 1 and 300")


def _is_plain_path(text: str) -> bool:
    return PurePosixPath(text).is_absolute() and text.isprintable() and '"' not in text and "'" not in text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
