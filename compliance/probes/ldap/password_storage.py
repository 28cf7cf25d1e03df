"""Passwords of the directory are kept as salted hashes."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import config

_STRONG = ("{ARGON2}", "{PBKDF2", "{SSHA256}", "{SSHA384}", "{SSHA512}", "{SM3", "{SSM3")
_OPEN = ("{CLEARTEXT}", "{MD5}", "{SHA}")


def _judge(facts: Facts) -> Judgement:
    told = [value for entry in config(facts) for value in entry.values.get("olcPasswordHash", ())]
    schemes = [scheme.upper() for value in told for scheme in value.split()] or ["{SSHA}"]  # what OpenLDAP does by itself
    bad: list[Words] = [scheme for scheme in schemes if scheme.startswith(_OPEN)]
    weak: list[Words] = [scheme for scheme in schemes if not scheme.startswith((*_OPEN, *_STRONG))]
    return judgement(bad, weak, schemes)


PROBE = Probe(
    id="app.crypto.directory_password_storage",
    way="app.crypto",
    source="ldap",
    items=("8.1.4.8.b",),
    units=("6.4.5",),
    objects=("system_software", "middleware", "application"),
    reads=("config",),
    title=Text("How the directory keeps passwords", "目录口令存储算法"),
    criterion=Text(
        "new passwords are kept as salted hashes of SHA-2, SM3, PBKDF2 or Argon2; SSHA and CRYPT are partly",
        "新口令以加盐的 SHA-2、SM3、PBKDF2 或 Argon2 存储；SSHA、CRYPT 为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="ldapsearch -x -ZZ -D DN -W -b cn=config olcPasswordHash",
    judge=_judge,
)
