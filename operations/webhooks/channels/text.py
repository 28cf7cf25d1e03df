"""The text of a sending for people: our wording, or a template of the target.

A template is Jinja without its powers: text, fields, conditions and a few filters. Loops, calls, arithmetic and assignments are
refused when it is saved, and the environment is the sandboxed one besides; so a rendering takes as long as its text is long. Fields
are plain lines (wording.plain). A template that fails all the same gives way to our wording: no message is lost to its looks.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from typing import Any

import jinja2
import orjson
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from operations.errors import Invalid
from operations.webhooks.channels.contract import Destination, Item
from operations.webhooks.channels.wording import LEVELS, TYPES, digest, field, note, said_in, text_of

log = logging.getLogger(__name__)
MAX_TEMPLATE = 4000
MAX_TEXT = 20_000
FILTERS = ("upper", "lower", "default", "trim", "truncate")
"""None of them makes text longer than its input, so a chain of them cannot grow without end."""

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If, nodes.Compare,
    nodes.Operand,    nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test,
)  # fmt: skip
_TESTS = ("defined", "undefined")


class _FieldsOnly(ImmutableSandboxedEnvironment):
    """``a.b`` is the field b of the mapping a; no attribute of a Python object can be reached."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


_ENVIRONMENT = _FieldsOnly(autoescape=False, undefined=jinja2.ChainableUndefined, keep_trailing_newline=False)
_ENVIRONMENT.globals.clear()  # range, cycler and their like are no fields
_EXAMPLE = dict.fromkeys(("heading", "time", "id", "type", "type_name", "level", "level_name"), "example")


def template(name: str, value: Any) -> str:
    """Check of the setting ``template``; "" = our wording. Raises Invalid."""
    if not isinstance(value, str) or len(value) > MAX_TEMPLATE:
        raise Invalid(f"{name} is text of at most {MAX_TEMPLATE} characters", field=f"settings.{name}")
    try:
        value.encode()
        tree = _ENVIRONMENT.parse(value)
    except UnicodeEncodeError as error:
        raise Invalid(f"{name} is no valid Unicode text", field=f"settings.{name}") from error
    except jinja2.TemplateSyntaxError as error:
        raise Invalid(f"{name}, line {error.lineno}: {error.message}", field=f"settings.{name}") from error
    except RecursionError as error:
        raise Invalid(f"{name} is nested too deep", field=f"settings.{name}") from error
    for node in tree.find_all(nodes.Node):
        _check_node(name, node)
    try:
        _compiled(value.strip()).render({**_EXAMPLE, "data": {}})
    except Exception as error:  # such as an end that is longer than what it ends: filters raise whatever they like
        raise Invalid(f"{name} cannot be rendered: {error}", field=f"settings.{name}") from error
    return value.strip()


def _check_node(name: str, node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED):
        raise Invalid(f"{name}, line {node.lineno}: {type(node).__name__.lower()} is not possible here", field=f"settings.{name}")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise Invalid(
            f"{name}, line {node.lineno}: there is no filter {node.name}", f"one of {', '.join(FILTERS)}", field=f"settings.{name}"
        )
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        raise Invalid(f"{name}, line {node.lineno}: there is no test {node.name}", field=f"settings.{name}")


def message_text(items: Sequence[Item], to: Destination) -> str:
    """One message as lines, several as a digest; by the template each on its own."""
    language, written = str(to.settings.get("language", "zh")), str(to.settings.get("template", ""))
    if written:
        try:
            return "\n\n".join(render(item, written, language) for item in items)
        except Exception:  # checked when it was saved; what an odd event brings up still must not stop the message, nor others
            log.warning("a template of a webhook target cannot be rendered", exc_info=True)
    notes = [note(item, language) for item in items]
    return text_of(notes[0], language) if len(notes) == 1 else digest(notes, language)


def render(item: Item, written: str, language: str) -> str:
    """One message by a template. Raises jinja2.TemplateError."""
    message = orjson.loads(item.body)
    place, told, data = (0 if language == "zh" else 1), note(item, language), message["data"]
    level = str(data.get("severity") or data.get("level") or "")
    fields = {
        "heading": told.heading, "time": told.time, "id": item.message_id, "type": item.event_type,
        "type_name": TYPES.get(item.event_type, (item.event_type,) * 2)[place], "level": level,
        "level_name": LEVELS.get(level, (level, level))[place],
        "data": {str(name): field(item.event_type, name, value) for name, value in (data | said_in(data, language)).items()},
    }  # fmt: skip
    return _compiled(written).render(fields)[:MAX_TEXT]


@functools.lru_cache(64)
def _compiled(written: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(written)


def subject(items: Sequence[Item], to: Destination) -> str:
    """The subject of a mail: the heading of a single message, else how many there are."""
    language = str(to.settings.get("language", "zh"))
    if len(items) == 1:
        return note(items[0], language).heading
    return f"莲盾：{len(items)} 条通知" if language == "zh" else f"Liandun: {len(items)} notifications"
