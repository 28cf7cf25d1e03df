"""What a password must be (GB/T 22239-2019 8.1.4.1 a: complexity is required; the numbers are settings)."""

from __future__ import annotations

MAX_LENGTH = 256  # a bound on what is hashed, not on what people remember


def password_problems(password: str, name: str, min_length: int = 12) -> list[str]:
    """What is wrong with a password, as codes a page can translate; empty when it is fine.

    ``too_short``, ``too_long``, ``too_few_classes`` (3 of: lower, upper, digit, other; a letter without case, such as a Chinese
    one, counts as other), ``contains_name``.
    """
    problems = []
    if len(password) < min_length:
        problems.append("too_short")
    if len(password) > MAX_LENGTH:
        problems.append("too_long")
    classes = {_character_class(character) for character in password}
    if len(classes) < 3:
        problems.append("too_few_classes")
    if name and name.casefold() in password.casefold():
        problems.append("contains_name")
    return problems


def _character_class(character: str) -> str:
    if character.islower():
        return "lower"
    if character.isupper():
        return "upper"
    return "digit" if character.isdigit() else "other"
