"""Which keeper serves the master key here: for ``doctor``, ``crypto selftest`` and ``secrets status``."""

from __future__ import annotations

from dataclasses import dataclass

from crypto.errors import SecretError
from crypto.generations import Contents
from kernel.config import Config
from kernel.master_key import keepers_of, key_file


@dataclass(frozen=True)
class MasterKeyCheck:
    """``state`` ok, warn or bad; ``keeper`` by name; ``detail`` and ``hint`` for people."""

    state: str
    keeper: str
    detail: str
    hint: str = ""


def check_master_key(config: Config) -> MasterKeyCheck:
    """Try the keeper and open the active generation. Makes and changes nothing."""
    file, keepers = key_file(config), keepers_of(config.secrets)
    try:
        contents = file.read() if file.mark() else None
        serving = contents.active.keeper if contents else keepers.chosen
        told = keepers.named(serving).examine()
        if contents is None:
            return MasterKeyCheck("ok", serving, f"none yet, the first start makes it; kept by {told}")
        file.reveal(contents.active)
    except SecretError as error:
        return MasterKeyCheck("bad", keepers.chosen, str(error), "sealed secrets do not open: docs/secrets.md")
    state, hint = "ok", ""
    if any(one.keeper != keepers.chosen for one in contents.generations):
        state, hint = "warn", f"configured is {keepers.chosen}: ./liandun secrets move --to {keepers.chosen}"
    elif len(contents.generations) > 1:
        state, hint = "warn", "a rotation is not finished: ./liandun secrets rotate"
    return MasterKeyCheck(state, serving, f"{_numbers(contents)}; kept by {told}", hint)


def _numbers(contents: Contents) -> str:
    older = [str(one.number) for one in contents.generations[:-1]]
    return f"generation {contents.active.number}" + (f" (and older: {', '.join(older)})" if older else "")
