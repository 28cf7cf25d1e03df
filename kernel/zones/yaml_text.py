"""The YAML of a zone plan as lists, mappings and texts, with the lines they stand on.

* Anchors, aliases, merge keys and tags are refused where they stand, before anything is built of them: a plan needs none, and
  400 bytes of aliases in aliases unfold into gigabytes.
* Scalars stay texts, as in YAML's failsafe schema (YAML 1.2.2, 10.1): whether ``2027``, ``no``, ``02:10:30:40:50:59`` or
  ``2027-06-30`` is a number, a name or a moment is for the field to say. A plain ``null``, ``~`` or nothing at all is None.
* A key that its mapping has already is a mistake (3.2.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from kernel.zones.limits import named

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only its parser is used; the one of libyaml is much the quicker, where PyYAML was built with it."""

_DEEPEST = 16
_NO_ANCHORS = "a plan has no anchors and aliases, write it out"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no c-printable (YAML 1.2.2, 5.1)."""


class YamlProblem(Exception):
    """The text is no YAML of a plan. ``line`` 0 = unknown."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = line, problem


class Document:
    """What was written.

    content    mappings (dict), lists, texts, None
    lines      for each list of the outermost mapping: the line of each of its entries
    repeated   line and key of each key that its mapping has twice; the last one stands in ``content``
    """

    def __init__(self) -> None:
        self.content: Any = None
        self.lines: dict[str, list[int]] = {}
        self.repeated: list[tuple[int, str]] = []


class _Open:
    """A mapping or list that has not ended yet. ``key`` is that of the value that comes next, None where a key comes next."""

    def __init__(self, content: dict[str, Any] | list[Any], lines: list[int] | None) -> None:
        self.content = content
        self.lines = lines
        self.key: str | None = None


def read_yaml(text: str) -> Document:
    """Parse one document. Raises YamlProblem at the first place that cannot be read."""
    found = _NOT_YAML.search(text)
    if found is not None:
        raise YamlProblem(text.count("\n", 0, found.start()) + 1, f"U+{ord(found[0]):04X} may not stand in a text")
    document = Document()
    try:
        _build(yaml.parse(text, Loader=_LOADER), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(mark.line + 1 if mark is not None else 0, str(error.problem or error.context)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlProblem(0, str(error)) from error
    return document


def _build(events: Iterator[yaml.Event], document: Document) -> None:
    stack: list[_Open] = []
    begun = False
    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            _refuse_extras(event)
            plain = not event.style  # None or "", by loader
            _put(document, stack, event, None if plain and event.value in _NULL else event.value, plain=plain)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            _refuse_extras(event)
            content: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
            part = stack[0].key if len(stack) == 1 else None
            _put(document, stack, event, content)
            if len(stack) == _DEEPEST:
                raise YamlProblem(_line(event), f"nested more than {_DEEPEST} deep")
            lines = document.lines.setdefault(part, []) if part is not None and isinstance(content, list) else None
            stack.append(_Open(content, lines))
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise YamlProblem(
                _line(event), f"the alias *{named(event.anchor or '')}: a plan has no anchors and aliases, write it out"
            )
        elif isinstance(event, yaml.DocumentStartEvent):
            if begun:
                raise YamlProblem(_line(event), "a second document begins; a plan is one")
            begun = True


def _put(document: Document, stack: list[_Open], event: yaml.NodeEvent, value: Any, *, plain: bool = False) -> None:
    """Give a value to what is open: as the document, an entry of the list, a key, or the value of the last key."""
    if not stack:
        document.content = value
        return
    top = stack[-1]
    if isinstance(top.content, list):
        top.content.append(value)
        if top.lines is not None:
            top.lines.append(_line(event))
    elif top.key is not None:
        top.content[top.key] = value
        top.key = None
    else:
        top.key = _key(document, top.content, event, plain)


def _key(document: Document, mapping: dict[str, Any], event: yaml.NodeEvent, plain: bool) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise YamlProblem(_line(event), "a key must be a text")
    key: str = event.value
    if plain and key == "<<":
        raise YamlProblem(_line(event), "the merge key <<: a plan has none, write it out")
    if key in mapping:
        document.repeated.append((_line(event), key))
    return key


def _refuse_extras(event: Any) -> None:
    if event.anchor is not None:
        raise YamlProblem(_line(event), f"the anchor &{named(event.anchor)}: {_NO_ANCHORS}")
    if event.tag is not None:
        raise YamlProblem(
            _line(event),
            f"the tag {named(event.tag.replace('tag:yaml.org,2002:', '!!'))}: a plan has no tags, write the value alone",
        )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0
