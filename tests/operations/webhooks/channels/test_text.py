"""Templates: what they may say, and what they may not do."""

from __future__ import annotations

import time

import orjson
import pytest

from operations.errors import Invalid
from operations.webhooks.channels.contract import Destination, Item
from operations.webhooks.channels.text import MAX_TEMPLATE, message_text, template

BODY = {
    "type": "alert.created",
    "timestamp": "2026-11-27T04:00:00.000000Z",
    "data": {"id": 7, "level": "high", "rule_name": "x\n{{ 7 * 7 }}", "host": "web-1", "user": None, "tags": ["a", "b"]},
}
ITEM = Item(1, "msg_1", "alert.created", orjson.dumps(BODY))


def said(written: str, language: str = "zh", *items: Item) -> str:
    return message_text(items or [ITEM], Destination("", "", {"template": template("template", written), "language": language}))


def test_fields_conditions_and_filters() -> None:
    assert said(
        "{{ level_name }}|{{ type_name }}|{{ data.host|upper }}|{{ data.user|default('-', true) }}|{{ data.none.deep }}|{{ time }}"
    ) == ("高危|新告警|WEB-1|-||2026-11-27 12:00:00")
    assert said("{% if level == 'high' and data.host is defined %}!{% else %}?{% endif %}", "en") == "!"
    assert said("{{ data.tags }}") == "a, b"
    assert said("{{ heading }}", "en") == "[high] New alert: x {{ 7 * 7 }}"  # what an event says is never a template


def test_nothing_but_fields_has_a_name() -> None:
    assert said("{{ range }}{{ cycler }}{{ namespace }}{{ dict }}!") == "!"


def test_a_template_of_before_that_cannot_be_rendered_gives_way_to_our_wording() -> None:
    for written in ("{{ heading|truncate(2) }}", "{{ heading|truncate(data.host) }}"):
        to = Destination("", "", {"template": written, "language": "en"})
        assert "New alert: x" in message_text([ITEM, ITEM], to)


def test_several_messages_each_by_the_template() -> None:
    assert said("{{ data.host }}", "zh", ITEM, ITEM) == "web-1\n\nweb-1"


@pytest.mark.parametrize(
    "wrong",
    [
        "{% for a in data %}x{% endfor %}",
        "{{ range(10) }}",
        "{{ data.host.upper() }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ data.host ~ data.host }}",
        "{% set a = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ data['host'] }}",
        "{{ data.host|replace('a', 'aaaa') }}",
        "{{ data|attr('__class__') }}",
        "{{ data.host|format }}",
        "{{ data is mapping }}",
        "{{ [1, 2] }}",
        "{{ lipsum }}{{ cycler() }}",
        "{{ heading|truncate(2) }}",  # shorter than the dots at its end: jinja2 raises an AssertionError
        "{{ heading|truncate('x') }}",
        "{{ unclosed",
        "{% if x %}",
        "{{ " + "not " * 990 + "x }}",
        "x" * (MAX_TEMPLATE + 1),
        "\ud800",
        7,
    ],
)
def test_what_a_template_may_not_do(wrong: str) -> None:
    start = time.monotonic()
    with pytest.raises(Invalid) as refusal:
        template("template", wrong)
    assert refusal.value.field == "settings"
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "hostile", ["{{ data.__class__.__mro__ }}", "{{ heading.__class__ }}", "{{ self.__init__ }}", "{{ data.items }}"]
)
def test_the_inside_of_python_is_out_of_reach(hostile: str) -> None:
    try:
        text = said(hostile)
    except Invalid:
        return
    assert "class" not in text
    assert "built-in" not in text


LINK = "https://soc.example.cn/playbooks/questions/3?seal=" + "Ab1%2F" * 60
ASKED = {
    "question_id": 3, "run_id": 9, "kind": "manual", "title": "确认演练方案", "line": "个人 确认演练", "number": 1, "link": LINK,
    "expires_at": "2026-11-29T04:00:00.000000Z",
    "words": {
        "zh": {"title": "确认演练方案", "text": "确认“勒索”的范围"},
        "en": {"title": "Confirm the plan", "text": "Confirm <b>\n“勒索”"},
    },
}  # fmt: skip


def question(**changes: object) -> Item:
    body = {"type": "playbook.question", "timestamp": "2026-11-27T04:00:00.000000Z", "data": ASKED | changes}
    return Item(1, "msg_1", "playbook.question", orjson.dumps(body))


def test_a_question_is_asked_in_the_language_of_the_target_with_its_whole_link() -> None:
    assert said("", "en", question()).splitlines() == [
        "Playbook asks people: Confirm the plan",
        "What: Confirm <b> “勒索”",
        "Until: 2026-11-29 12:00:00",
        f"Answer: {LINK}",
        "Time: 2026-11-27 12:00:00",
    ]
    assert "内容：确认“勒索”的范围" in said("", "zh", question())
    agree = said("", "en", question(kind="approval", number=2, words={"en": {"title": "Block it", "text": ""}}))
    assert "Playbook asks people: Block it" in agree
    assert "People who have to agree: 2" in agree
    assert "What: 个人 确认演练" in agree
    several = said("", "zh", question(), question(title="2", words={}))
    assert several.count(LINK) == 2
    assert (
        said("{{ data.title }} {{ data.text }} {{ data.link }}", "en", question()) == f"Confirm the plan Confirm <b> “勒索” {LINK}"
    )
    for wrong in ("/playbooks/questions/3?seal=x", "javascript:alert(1)", "https://a b", 7, None):
        assert "Answer" not in said("", "en", question(link=wrong))
    assert "Playbook asks people: 确认演练方案" in said("", "en", question(words="x"))
