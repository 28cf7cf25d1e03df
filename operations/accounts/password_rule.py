"""What a password must be (GB/T 22239-2019 8.1.4.1 a: complexity is required; the numbers are settings)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zxcvbn import zxcvbn

_MEASURED = 72  # characters that zxcvbn looks at; what comes after can only make a password better
_MANY_CLASSES = 3
_SHORT_NAME = 3  # "li" is part of many words


def password_problems(
    password: str, name: str, display_name: str = "", *, min_length: int = 12, max_length: int = 128, min_score: int = 3
) -> list[str]:
    """What is wrong with a password, as codes a page can translate; empty when it is fine.

    ``too_short``, ``too_long``, ``too_few_classes`` (3 of: lower, upper, digit, other; a letter without case, such as a Chinese
    one, counts as other), ``contains_name`` (also backwards, or with its signs left out), ``too_easy`` (zxcvbn guesses it: its
    score, 0 to 4, is less than ``min_score``).
    """
    problems = []
    if len(password) < min_length:
        problems.append("too_short")
    if len(password) > max_length:
        problems.append("too_long")
    if len({_character_class(character) for character in password}) < _MANY_CLASSES:
        problems.append("too_few_classes")
    folded = password.casefold()
    if any(form in folded for form in _forms(name, display_name)):
        problems.append("contains_name")
    if not problems and zxcvbn(password[:_MEASURED], [name, display_name, "liandun", "莲盾"])["score"] < min_score:
        problems.append("too_easy")
    return problems


def _forms(*names: str) -> Iterator[str]:
    for name in names:
        folded = name.casefold()
        for form in (folded, re.sub(r"[\W_]", "", folded)):
            if len(form) >= _SHORT_NAME or (form and not form.isascii()):
                yield form
                yield form[::-1]


def _character_class(character: str) -> str:
    if character.islower():
        return "lower"
    if character.isupper():
        return "upper"
    return "digit" if character.isdigit() else "other"
