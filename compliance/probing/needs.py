"""What is said about a target: which way needs what, and what is no address, name or certificate."""

from __future__ import annotations

import re

from compliance.probing.models import FILES, REPORTS
from compliance.probing.places import problem_of_place
from compliance.probing.schema import TargetDraft
from crypto.certificates import read_certificates
from crypto.errors import CryptoError
from kernel.programs.error import ProgramError
from kernel.programs.ssh import is_user_name
from kernel.programs.ssh_host import read_host
from operations.errors import Invalid

MOST_CERTIFICATES, MOST_PEM = 20, 32_768
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ssh": (("place", "login", "secret"), ()),
    "tls": (("place",), ("ca",)),
    "postgresql": (("secret",), ()),
    **dict.fromkeys(FILES, ((), ("place",))),
    **dict.fromkeys(REPORTS, ((), ("place", "host"))),
}
"""What a way needs, and what it may have."""
_SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}", re.ASCII)


def checked(way: str, draft: TargetDraft) -> dict[str, str]:
    """What the way needs, and nothing else. Raises Invalid."""
    needed, may = NEEDS.get(way, ((), ()))
    given = {name: getattr(draft, name).strip() for name in ("place", "login", "secret", "host", "ca")}
    for name, value in given.items():
        if (name in needed and not value) or (value and name not in (*needed, *may)):
            problem = f"{way} needs {name}" if name in needed else f"{way} has no {name}"
            raise Invalid(problem, f"{way}: {', '.join((*needed, *may)) or 'nothing besides'}", field=name)
    place, login, secret = given["place"], given["login"], given["secret"]
    if way in (*FILES, *REPORTS):
        if place and (problem := problem_of_place(place)):
            raise Invalid(problem, "core/sw-1-*.cfg", field="place")
    elif place:
        _check_address(way, place)
    if login and not is_user_name(login):
        raise Invalid(f"{login[:40]!r} is no name of an account", field="login")
    if secret and not _SECRET.fullmatch(secret):
        raise Invalid("this is no name of a secret", "./liandun playbook secret list", field="secret")
    if len(given["host"]) > 300 or not given["host"].isprintable():
        raise Invalid("host has at most 300 characters", field="host")
    return {**given, "ca": certificates(given["ca"])}


def _check_address(way: str, place: str) -> None:
    try:
        read_host(place)
    except ProgramError as error:
        raise Invalid(error.message, error.hint, field="place") from error
    if way == "tls" and ":" not in place.rpartition("]")[2]:
        raise Invalid(f"{place[:80]} has no port", "HOST:PORT", field="place")


def certificates(pem: str) -> str:
    """The certificates alone of a PEM text, "" of an empty one. Raises Invalid."""
    if not pem:
        return ""
    try:
        if "-----BEGIN" not in pem:
            raise CryptoError("there is no PEM in it")
        found = read_certificates(pem.encode("ascii", "replace"))
    except CryptoError as error:
        raise Invalid(f"these are no certificates: {error}", "PEM, as openssl x509 writes it", field="ca") from error
    told = "".join(one.to_pem() for one in found)
    if len(found) > MOST_CERTIFICATES or len(told) > MOST_PEM:
        raise Invalid(f"at most {MOST_CERTIFICATES} certificates, {MOST_PEM:,} letters", "only those that are needed", field="ca")
    return told
