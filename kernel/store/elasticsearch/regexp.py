"""A regular expression of the query language as Lucene's, which covers the whole term and knows no word boundaries.

Works on :attr:`kernel.query.tree.Regex.re2`, whose few constructs :mod:`kernel.query.regex` defines. Boundaries, and anchors
that do not stand at the very ends, are left out: the result then finds more than what is meant, and :func:`lucene` says so.
Lucene's syntax: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/regexp-syntax.html (used with flags NONE).
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<anchor>\\[AzbB])
      | (?P<code>\\x\{(?P<hex>[0-9a-f]+)\})
      | (?P<class>\[\^?(?:\\x\{[0-9a-f]+\}|[^\]\\])+\])
      | (?P<open>\(\?:)
      | (?P<close>\))
      | (?P<or>\|)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CODE = re.compile(r"\\x\{([0-9a-f]+)\}")


@lru_cache(maxsize=512)
def lucene(re2: str) -> tuple[str, bool]:
    """Lucene's expression for the whole term, and whether it means exactly the same."""
    alternatives: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for match in _TOKEN.finditer(re2.removeprefix("(?s)")):
        kind = match.lastgroup or ""
        kind = "code" if kind == "hex" else kind
        depth += (kind == "open") - (kind == "close")
        if kind == "or" and depth == 0:
            alternatives.append([])
        else:
            alternatives[-1].append((kind, match[0]))
    exact = True
    parts = []
    for tokens in alternatives:
        begins, ends = False, False
        while tokens and tokens[0] == ("anchor", r"\A"):
            begins = bool(tokens.pop(0))
        while tokens and tokens[-1] == ("anchor", r"\z"):
            ends = bool(tokens.pop())
        exact = exact and all(kind != "anchor" for kind, _ in tokens)
        body = "".join(_written(tokens))
        parts.append(("" if begins else ".*") + (f"({body})" if body else "()") + ("" if ends else ".*"))
    return parts[0] if len(parts) == 1 else "(" + "|".join(parts) + ")", exact


def _written(tokens: list[tuple[str, str]]) -> list[str]:
    written: list[str] = []
    empty = True  # the alternative at hand holds nothing yet
    for kind, text in tokens:
        if kind in ("or", "close"):
            written.append(("()" if empty else "") + text)
        elif kind == "open":
            written.append("(")
        elif kind == "anchor":
            written.append("()")
        elif kind in ("code", "class"):
            written.append(_CODE.sub(lambda code: escaped(chr(int(code[1], 16))), text))
        else:
            written.append(text)
        empty = kind in ("or", "open")
    return written


def escaped(text: str) -> str:
    """A plain text as Lucene's expression."""
    return "".join(c if c.isascii() and c.isalnum() else "\\" + c for c in text)
