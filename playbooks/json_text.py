"""JSON as playbooks need it: bounded, and with one meaning only (I-JSON, RFC 7493).

A document whose keys stand twice, or whose text no other program can store, reads differently in different programs: what was
signed would not be what runs. Such documents are refused with the place.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from playbooks.problems import PlaybookError, Problem

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
_LARGEST_WHOLE = 2**63
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""NUL and halves of letters can only come escaped."""


def read_json(octets: bytes) -> Any:
    """The document. Raises PlaybookError with all places that keep it from being read."""
    if len(octets) > MAX_BYTES:
        raise _error("", f"the document is larger than {MAX_BYTES >> 20} MiB", "content of this size belongs behind a URL")
    twice: list[tuple[dict[str, Any], str]] = []
    try:
        text = octets.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        document = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, twice), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _error("", f"the document is not UTF-8: octet {error.start}", "save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise _error("", f"no JSON: line {error.lineno}, column {error.colno}: {error.msg}", "correct the JSON there") from error
    except RecursionError as error:
        raise _error("", f"the document is nested more than {MAX_DEPTH} deep", "flatten it") from error
    except ValueError as error:
        raise _error("", f"no JSON: {str(error)[:200]}", "write the number as text") from error
    if twice or _ESCAPED.search(text) or not _is_plain(document):
        problems = _faults(document, twice)
        if problems:
            raise PlaybookError(problems)
    return document


def write_json(document: dict[str, Any]) -> bytes:
    """A document as people read it: two blanks of indent, keys in their order, UTF-8. ``read_json`` gives the same again."""
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _object(pairs: list[tuple[str, Any]], twice: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice.append((found, key))
            seen.add(key)
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _is_plain(document: Any) -> bool:
    """Whether depth and numbers are within the limits: the quick look, without the places."""
    waiting: list[tuple[Any, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return False
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,):
            if isinstance(one, dict | list):
                waiting.append((one, depth + 1))
            elif isinstance(one, float | int) and not -_LARGEST_WHOLE <= one < _LARGEST_WHOLE:
                return False
    return True


def _faults(document: Any, twice: list[tuple[dict[str, Any], str]]) -> list[Problem]:
    """What the parser lets pass: keys standing twice, text that cannot be stored, numbers out of range, too much nesting."""
    doubled: dict[int, list[str]] = {}
    for holder, key in twice:
        doubled.setdefault(id(holder), []).append(key)
    problems: list[Problem] = []
    waiting: list[tuple[Any, str, int]] = [(document, "", 0)]
    while waiting:
        value, path, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return [_problem(path, f"the document is nested more than {MAX_DEPTH} deep", "flatten it")]
        if isinstance(value, dict):
            for key in doubled.get(id(value), ()):
                problems.append(_problem(path, f"the key {key[:80]!r} stands twice", "remove one of them"))
            inner = [(one, f"{path}.{key}" if path else key, depth + 1) for key, one in value.items()]
            problems += [_problem(path, "a key cannot be stored", "remove NUL and half letters") for key in value if _bad(key)]
            waiting += reversed(inner)
        elif isinstance(value, list):
            waiting += reversed([(one, f"{path}[{place}]", depth + 1) for place, one in enumerate(value)])
        elif isinstance(value, str) and _bad(value):
            problems.append(_problem(path, "the text holds NUL or half a letter (lone surrogate)", "remove it"))
        elif isinstance(value, float) and not math.isfinite(value):
            problems.append(_problem(path, "the number is too large", "write it as text"))
        elif isinstance(value, int) and not -_LARGEST_WHOLE <= value < _LARGEST_WHOLE:
            problems.append(_problem(path, "the number has more than 64 bits", "write it as text"))
    return problems


def _bad(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return "\0" in text


def _problem(path: str, message: str, hint: str) -> Problem:
    return Problem(path=path[:400], message=message, hint=hint)


def _error(path: str, message: str, hint: str) -> PlaybookError:
    return PlaybookError([_problem(path, message, hint)])
