"""Passwords and keys in the configuration: shown nowhere."""

from __future__ import annotations

SEALED = "sm4-gcm:"
"""How a secret begins that crypto.secret has sealed."""


class Secret:
    """A password or key of the configuration: shown nowhere, neither by repr nor by ``config show``."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, to be handed on and not kept."""
        return self._text

    @property
    def sealed(self) -> bool:
        return self._text.startswith(SEALED)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "(set)" if self._text else ""
