"""The literal texts that a match of a regular expression must contain.

Reads the RE2 form that :mod:`kernel.query.regex` writes: plain ASCII letters and digits, ``\\x{…}``, ``.``, ``[…]``, ``(?:…)``,
``|``, ``\\A \\z \\b \\B`` and quantifiers. Everything is folded already.
"""

from __future__ import annotations

import re

import msgspec

_TOKEN = re.compile(
    r"""\\x\{(?P<code>[0-9a-f]+)\}                # a character by its code
      | \\(?P<assertion>[AzbB])                   # between characters
      | (?P<set>\[\^?(?:\\x\{[0-9a-f]+\}|[^\]\\])*\])
      | (?P<open>\(\?:) | (?P<close>\)) | (?P<bar>\|)
      | (?P<repeat>(?P<few>[?*]|\{0*(?:,\d*)?\})|\+|\{(?P<times>\d+)(?:,\d*)?\})
      | (?P<any>\.)
      | (?P<plain>[0-9A-Za-z])
    """,
    re.VERBOSE,
)


class Parts(msgspec.Struct, frozen=True):
    """``every``: all of the parts; otherwise at least one of them."""

    parts: tuple[Found, ...]
    every: bool


Found = str | Parts
UNKNOWN: Found = ""


def regex_literals(re2: str) -> Found:
    """The texts that must be there. "" says nothing; so does a pattern that is not understood."""
    pattern = re2.removeprefix("(?s)")
    tokens: list[re.Match[str]] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return UNKNOWN
        tokens.append(token)
        at = token.end()
    found, used = _alternatives(tokens, 0)
    return found if used == len(tokens) else UNKNOWN


def _alternatives(tokens: list[re.Match[str]], at: int) -> tuple[Found, int]:
    """Up to the closing parenthesis or the end."""
    choices: list[Found] = []
    while True:
        found, at = _sequence(tokens, at)
        choices.append(found)
        if at == len(tokens) or tokens[at].lastgroup == "close":
            break
        at += 1  # the bar
    if UNKNOWN in choices:
        return UNKNOWN, at
    return (choices[0] if len(choices) == 1 else Parts(tuple(choices), every=False)), at


def _sequence(tokens: list[re.Match[str]], at: int) -> tuple[Found, int]:
    parts: list[Found] = []
    run = ""
    while at < len(tokens) and tokens[at].lastgroup not in ("bar", "close"):
        token = tokens[at]
        kind = token.lastgroup
        group: Found = UNKNOWN
        if kind == "open":
            group, at = _alternatives(tokens, at + 1)
            if at == len(tokens):
                return UNKNOWN, at  # never closed: not what the parser writes
        at += 1
        character = _character(token)
        repeated = at < len(tokens) and tokens[at]["repeat"] is not None
        optional = repeated and tokens[at]["few"] is not None
        at += repeated
        if kind == "assertion":
            continue  # has no width: the texts around it touch
        if character and not repeated:
            run += character
            continue
        if character and not optional:
            parts += [run + character]
            run = ""
            continue
        parts.append(run)
        run = ""
        if not optional:
            parts.append(group)
    told = tuple(part for part in [*parts, run] if part != UNKNOWN)
    if not told:
        return UNKNOWN, at
    return (told[0] if len(told) == 1 else Parts(told, every=True)), at


def _character(token: re.Match[str]) -> str:
    if token["code"] is not None:
        return chr(int(token["code"], 16))
    return token["plain"] or ""
