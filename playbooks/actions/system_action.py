"""What our commands that change other systems have in common: parameters of ``parameters.TERMS``, settings, no database.

What they do is remembered where they do it (on the gateway, in the directory), with the number of the run, so that taking back
touches nothing that others did, and doing it again after a crash changes nothing more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.own import outputs
from playbooks.actions.parameter_base import Parameters
from playbooks.actions.parameters import read_parameters
from playbooks.actions.settings import Settings
from playbooks.variables import Value

_P = TypeVar("_P", bound=Parameters)


class SystemAction(ABC, Generic[_P]):
    """One kind of command. Those that inherit say what they do with their parameters."""

    kind: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def told(self, given: _P, request: Request) -> Plan:
        """What it would do. Raises ActionError for what is refused whatever the system says."""

    @abstractmethod
    def act(self, given: _P, request: Request, context: Context) -> dict[str, str]:
        """Do it and return values by the names of parameters.TERMS. Raises ActionError."""

    def plan(self, request: Request) -> Plan:
        """What it would do, without asking any system. Raises ActionError."""
        return self.told(self._given(request), request)

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Do it, unless it is refused. Raises ActionError."""
        given = self._given(request)
        self.told(given, request)
        return outputs(request, self.act(given, request, context))

    def _given(self, request: Request) -> _P:
        try:
            return read_parameters(self.kind, request.command.more)  # type: ignore[return-value]
        except ValueError as error:
            raise ActionError(f"the parameters of {self.kind} are wrong: {error}", code="COMMAND_WRONG") from error


def run_number(request: Request) -> str:
    """The run that asks, as it is written on other systems: digits, "0" where there is none."""
    number = request.key.partition(".")[0]
    return number if number.isascii() and number.isdecimal() and len(number) <= 18 else "0"
