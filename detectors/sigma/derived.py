"""Fields that a rule knows from Sysmon and that Security auditing tells in other words.

Each function takes the values of its arguments (None where missing) and gives the value as Sysmon would write it, or None.
References: learn.microsoft.com, audit events 4657, 4688, 5156.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_CONTROL_SET = re.compile(r"^(HKLM\\SYSTEM)\\ControlSet00\d", re.IGNORECASE)


def registry_path(key: Any, value_name: Any) -> str | None:
    r"""``\REGISTRY\MACHINE\X`` and a value's name → ``HKLM\X\name`` (Sysmon's TargetObject)."""
    if not isinstance(key, str):
        return None
    upper = key.upper()
    if upper.startswith("\\REGISTRY\\MACHINE"):
        key = "HKLM" + key[17:]
    elif upper.startswith("\\REGISTRY\\USER"):
        key = "HKU" + key[14:]
    key = _CONTROL_SET.sub(r"\1\\CurrentControlSet", key)
    return f"{key}\\{value_name}" if isinstance(value_name, str) and value_name else key


def registry_operation(operation: Any) -> str | None:
    """4657's OperationType → Sysmon's EventType (1904 value made, 1905 value changed, 1906 value deleted)."""
    return {"%%1904": "SetValue", "%%1905": "SetValue", "%%1906": "DeleteValue"}.get(str(operation))


def account(domain: Any, name: Any) -> str | None:
    r"""``DOMAIN\name``."""
    if not isinstance(name, str):
        return None
    return f"{domain}\\{name}" if isinstance(domain, str) and domain not in ("", "-") else name


def initiated(direction: Any) -> str | None:
    """5156's Direction → Sysmon's Initiated (14593 outbound, 14592 inbound)."""
    return {"%%14593": "true", "%%14592": "false"}.get(str(direction))


def protocol(number: Any) -> str | None:
    """IP protocol number → Sysmon's ``tcp``/``udp``; any other number stays as it is."""
    if number is None:
        return None
    return {"6": "tcp", "17": "udp"}.get(str(number), str(number))


FUNCTIONS: dict[str, Callable[..., str | None]] = {
    function.__name__: function for function in (registry_path, registry_operation, account, initiated, protocol)
}


def is_known(field: str) -> bool:
    return field[1:].partition("(")[0] in FUNCTIONS


def parse(field: str) -> tuple[Callable[..., str | None], tuple[str, ...]]:
    """Function and argument keys of a bound field such as ``=account(a,b)``."""
    name, _, arguments = field[1:].rstrip(")").partition("(")
    return FUNCTIONS[name], tuple(arguments.split(","))
