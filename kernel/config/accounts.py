"""[accounts]: numbers of the account rules, and sign-in by a directory or an OpenID provider."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.names import is_network


class Ldap(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts.ldap] — sign-in by a directory. ``url`` "" = none; see docs/accounts.md.

    start_tls    with ldap://: the connection is sealed before anything is sent; without it only ldaps:// is accepted
    bind_dn      who searches, with ``password_file``
    user_filter  ``{name}`` stands for the (escaped) name that was typed
    subject      attribute that never changes for a person, e.g. entryUUID or objectGUID
    groups       DN of a group → role that is proposed for its members
    """

    url: str = ""
    start_tls: bool = True
    ca_file: Path | None = None
    bind_dn: str = ""
    password_file: Path | None = None
    base_dn: str = ""
    user_filter: str = "(uid={name})"
    group_filter: str = "(member={dn})"
    subject: str = "entryUUID"
    display_name: str = "cn"
    groups: dict[str, str] = {}
    timeout_seconds: float = 5.0


class Oidc(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts.oidc] — sign-in by an OpenID provider. ``issuer`` "" = none; see docs/accounts.md.

    second_factor_acr  values of ``acr``, and second_factor_amr values of ``amr``, that mean the provider checked a second factor
    groups             value of the claim ``groups_claim`` → role that is proposed
    """

    issuer: str = ""
    name: str = "OpenID"
    client_id: str = ""
    client_secret_file: Path | None = None
    ca_file: Path | None = None
    scopes: list[str] = msgspec.field(default_factory=lambda: ["openid", "profile"])
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: dict[str, str] = {}
    second_factor_acr: list[str] = []
    second_factor_amr: list[str] = msgspec.field(default_factory=lambda: ["mfa", "otp", "hwk"])
    clock_skew_seconds: int = 60
    timeout_seconds: float = 5.0


class Accounts(msgspec.Struct, forbid_unknown_fields=True):
    """[accounts] — numbers of the account rules; see docs/accounts.md.

    second_factor   ``all``; ``administrators`` lets the business roles do without (the demonstration does)
    admin_networks  networks that the three powers may come from; none = from everywhere
    totp            new one-time passwords by ``sha1`` (RFC 6238) or ``sm3`` (GM/T 0021)
    """

    second_factor: Literal["all", "administrators"] = "all"
    totp: Literal["sha1", "sm3"] = "sha1"
    password_scheme: Literal["argon2id", "pbkdf2-sm3"] = "argon2id"  # noqa: S105 — a name, no password
    password_length: int = 12
    password_history: int = 5
    password_days: int = 90
    max_failures: int = 5
    lock_minutes: int = 10
    idle_minutes: int = 30
    admin_idle_minutes: int = 15
    session_hours: int = 8
    single_session: bool = False
    unused_days: int = 90
    admin_networks: list[str] = []
    ldap: Ldap = msgspec.field(default_factory=Ldap)
    oidc: Oidc = msgspec.field(default_factory=Oidc)


_BOUNDS: dict[str, tuple[int, int, str]] = {
    "password_length": (10, 64, "shorter ones are guessed"),
    "password_history": (1, 24, ""),
    "password_days": (1, 3650, "GB/T 22239-2019 8.1.4.1 a asks for passwords to be changed"),
    "max_failures": (1, 10, "GB/T 22239-2019 8.1.4.1 b asks for failures to be limited"),
    "lock_minutes": (1, 1440, ""),
    "idle_minutes": (1, 30, "an unattended session is open to whoever passes by"),
    "admin_idle_minutes": (1, 30, "an unattended session is open to whoever passes by"),
    "session_hours": (1, 12, ""),
    "unused_days": (1, 365, ""),
}


def check_accounts(accounts: Accounts, mistakes: Mistakes) -> None:
    for name, (least, most, why) in _BOUNDS.items():
        value = getattr(accounts, name)
        if not least <= value <= most:
            mistakes.add(f"accounts.{name}", f"{value} is not between {least} and {most}" + (f": {why}" if why else ""))
    for network in accounts.admin_networks:
        if not is_network(network):
            mistakes.add("accounts.admin_networks", f"{network!r} is no network, write e.g. 10.9.0.0/16 or 2001:db8:9::/48")
    _check_ldap(accounts.ldap, mistakes)
    _check_oidc(accounts.oidc, mistakes)


def _check_ldap(ldap: Ldap, mistakes: Mistakes) -> None:
    if ldap.url and not (ldap.url.startswith("ldaps://") or (ldap.url.startswith("ldap://") and ldap.start_tls)):
        mistakes.add("accounts.ldap.url", "passwords travel sealed only: ldaps://HOST, or ldap://HOST with start_tls = true")
    if ldap.url and "{name}" not in ldap.user_filter:
        mistakes.add("accounts.ldap.user_filter", "must hold {name}")


def _check_oidc(oidc: Oidc, mistakes: Mistakes) -> None:
    if oidc.issuer and not (
        oidc.issuer.startswith("https://") or re.match(r"http://(localhost|127\.0\.0\.1|\[::1\])[:/]", oidc.issuer)
    ):
        mistakes.add("accounts.oidc.issuer", "must be https:// (http only on this machine)")
    if oidc.issuer and not oidc.client_id:
        mistakes.add("accounts.oidc.client_id", "is needed with an issuer")
