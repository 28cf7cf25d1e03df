"""The settings of targets, checked: what is unknown is refused, what is left out gets its default."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from operations.errors import Invalid

Check = Callable[[str, Any], Any]
LANGUAGES = ("zh", "en")
MAX_CA = 32 * 1024
MAX_RECIPIENTS = 50
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
"""An address as mail systems really have it (RFC 5321 4.1.2 without quoted parts and address literals)."""


def checked(given: Mapping[str, Any], known: Mapping[str, tuple[Check, Any]]) -> dict[str, Any]:
    """``given`` with all names of ``known`` (name → check, default). Raises Invalid, naming the setting."""
    for name in given:
        if name not in known:
            raise Invalid(f"there is no setting {name[:64]!r} here", f"known: {', '.join(known) or 'none'}", field="settings")
    return {name: check(name, given[name]) if name in given else default for name, (check, default) in known.items()}


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "is true or false")
    return value


def language(name: str, value: Any) -> str:
    if value not in LANGUAGES:
        raise _wrong(name, "is zh or en")
    return str(value)


def line(name: str, value: Any) -> str:
    """One line of at most 256 characters."""
    if not isinstance(value, str) or len(value) > 256 or any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        raise _wrong(name, "is one line of at most 256 characters")
    return _whole(name, value).strip()


def mail_address(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _MAIL.fullmatch(value.strip()):
        raise _wrong(name, "is no mail address")
    return value.strip()


def mail_addresses(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_RECIPIENTS:
        raise _wrong(name, f"is a list of 1 to {MAX_RECIPIENTS} mail addresses")
    return list(dict.fromkeys(mail_address(name, one) for one in value))


def certificates(name: str, value: Any) -> str:
    """PEM certificates that are trusted instead of the system's; "" = the system's."""
    if not isinstance(value, str) or len(value) > MAX_CA:
        raise _wrong(name, f"is PEM text of at most {MAX_CA} characters")
    if not value.strip():
        return ""
    try:
        ssl.create_default_context(cadata=value)
    except (ssl.SSLError, ValueError, TypeError) as error:  # the last where a letter is not ASCII
        raise _wrong(name, "holds no certificates in PEM form") from error
    return value


def _whole(name: str, value: str) -> str:
    """Text without half characters: JSON can spell them (``\\ud800``), and no database can keep them."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _wrong(name, "is no valid Unicode text") from error
    return value


def _wrong(name: str, why: str) -> Invalid:
    return Invalid(f"{name} {why}", field=f"settings.{name}")
