"""The text of a plan when it is hostile or careless: refused where it stands, in a moment, and what is told stays short."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import example, given, settings

from kernel.zones import yaml_text
from kernel.zones.check import check, told
from kernel.zones.limits import LONGEST, MOST
from kernel.zones.plan import Asset, Conduit, PlanError, Zone, ZonePlan, merged, read_draft, read_plan, write_plan
from kernel.zones.yaml_text import YamlProblem, read_yaml

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with the parser of libyaml and with that of Python."""
    monkeypatch.setattr(yaml_text, "_LOADER", request.param)


def _aliases(depth: int, tail: str) -> str:
    lines = ["x0: &a0 [z,z,z,z,z,z,z,z,z,z]"]
    lines += [f"x{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, depth)]
    return "\n".join([*lines, tail.replace("@", f"*a{depth - 1}"), ""])


def _merges(depth: int) -> str:
    lines = ["x0: &a0 {k: v}"]
    lines += [f"x{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, depth)]
    return "\n".join([*lines, "zones: []", ""])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_aliases(8, "zones: [{id: @, name: b}]"), "plan:1: no YAML: the anchor &a0: a plan has no anchors"),
        (_aliases(8, "zones: [{id: a, name: @, layer: cloud}]"), "plan:1: no YAML: the anchor &a0"),
        (_merges(8), "plan:1: no YAML: the anchor &a0"),
        ("zones:\n  - *" + "a" * 500, "plan:2: no YAML: the alias *'aaa"),
        ("zones:\n  - {id: a}\n  - {<<: {id: a}, name: b}", "plan:3: no YAML: the merge key <<"),
        ("zones:\n  - {id: !!int ''}", "plan:2: no YAML: the tag !!int: a plan has no tags"),
        ("zones: [{id: !!bool foo}]", "plan:1: no YAML: the tag !!bool"),
        ("zones: [{id: !!float ''}]", "plan:1: no YAML: the tag !!float"),
        ("\nzones: [{id: !!timestamp foo}]", "plan:2: no YAML: the tag !!timestamp"),
        ("zones: !!set {a, b}", "plan:1: no YAML: the tag !!set"),
        ("zones: !!python/object/apply:os.system [id]", "plan:1: no YAML: the tag !!python/object"),
        ("zones:\n- [[[[[[[[[[[[[[[[[", "plan:2: no YAML: nested more than"),
        ("zones: " + "[" * 5000, "nested more than"),
        ("\n".join(" " * i + "- " for i in range(1500)), "nested more than"),
        ("a: 1\n---\nb: 2", "plan:2: no YAML: a second document"),
        ("zones: []\n? [a, b]\n: c", "plan:2: no YAML: a key must be a text"),
        ("zones: []\nx: \x00", "plan:2: no YAML: U+0000 may not stand in a text"),
        ("zones: []\n\nx: \ud800", "plan:3: no YAML: U+D800 may not stand in a text"),
        ("zones: [", "no YAML"),
        ("zones:\n - {id: a, name: x, layer: cloud, vlans: [" + "9" * 5000 + "]}", "plan:2: zone a: "),
        ("zones: [{id: a, name: x, layer: cloud, vlans: [" + "9" * 400 + "]}]", "is no VLAN"),
        ("zones: [{id: a, name: x, layer: cloud, importance: " + "9" * 400 + "}]", "1 to 5"),
        ("zones: [{id: a, name: x, layer: cloud, " + "k" * 900 + ": 1}]", "unknown field `kkk"),
        ("k" * 900 + ": 1", "unknown part 'kkk"),
        (f"{'k' * 900}: 1\n{'k' * 900}: 2", "is written twice"),
        ("zones: [{id: a, name: x, layer: " + "k" * 9000 + "}]", "there is no layer 'kkk"),
        ("zones: [{id: a, name: x, layer: cloud, internet: " + "k" * 9000 + "}]", "forbidden or conduit"),
        ("zones: [{id: " + "k" * 9000 + ", name: x, layer: cloud}]", "use lower-case letters"),
        ("assets: [{id: " + "k" * 9000 + ", addresses: [1.1.1.1]}, {id: b, addresses: [1.1.1.1]}]", "belongs to 'kkk"),
        ("zones: [{id: a, name: x, layer: cloud, ranges: [" + "k" * 9000 + "]}]", "is longer than 64 characters"),
        ("revision: x", "revision must be a number"),
    ],
)
def test_what_no_plan_needs_is_refused_at_its_line_at_once_and_shortly(text: str, message: str) -> None:
    began = time.process_time()
    with pytest.raises(PlanError) as caught:
        read_plan(text, "plan")
    assert message in str(caught.value)
    assert all(len(line) < 300 for line in caught.value.message.split("\n"))
    assert time.process_time() - began < 5  # the first of these took 20 s and 2 GB


@pytest.mark.parametrize(
    "escape", [r"\ud800", r"a\0b", r"\e[31m", r"\x85", r"\u2028", r"\u202Eevil", r"\u2066", r"a\tb", r"a\nb", r"\x7f"]
)
def test_texts_have_no_control_characters_and_no_halves_of_characters(escape: str) -> None:
    for text in (
        f'zones: [{{id: a, name: "{escape}", layer: cloud}}]',
        f'zones: [{{id: "{escape}", name: a, layer: cloud}}]',
        f'zones: [{{id: a, name: a, layer: cloud, sensors: ["{escape}"]}}]',
        f'assets: [{{id: "a{escape}"}}]',
        f'assets: [{{id: a, kind: "{escape}"}}]',
    ):
        with pytest.raises(PlanError) as caught:
            read_plan(text)
        assert caught.value.message.replace("\n", "").isprintable()


def test_only_the_reason_of_a_conduit_has_lines() -> None:
    zone = "zones: [{id: a, name: a, layer: cloud}]\n"
    conduit = "conduits:\n  - id: c\n    from: a\n    to: a\n    services: any\n    reason: |\n      one\n      two\n"
    assert read_plan(zone + conduit).conduits[0].reason == "one\ntwo\n"
    with pytest.raises(PlanError, match=r"approver: U\+000A may not stand in a text"):
        read_plan(zone + conduit.replace("reason", "approver"))


def _item(kind: str, values: dict[str, Any]) -> ZonePlan:
    if kind == "zone":
        return ZonePlan(zones=(Zone(**{"id": "a", "name": "a", "layer": "cloud"} | values),))
    if kind == "conduit":
        usual = {"id": "c", "sources": ("*",), "targets": ("*",), "services": ("any",)}
        return ZonePlan(conduits=(Conduit(**usual | values),))
    return ZonePlan(assets=(Asset(**{"id": "a"} | values),))


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in LONGEST.items() for field in fields])
def test_every_text_has_a_longest_length(kind: str, field: str) -> None:
    longest = LONGEST[kind][field]
    for length in (longest, longest + 1, 1_000_000):
        text = "x" * length
        told_of = [told(*one) for one in check(_item(kind, {field: (text,) if field in MOST[kind] else text}))]
        assert any(f"is longer than {longest} characters" in line for line in told_of) == (length > longest)
        assert all(len(line) < 300 for line in told_of)


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in MOST.items() for field in fields])
def test_every_list_has_a_greatest_length(kind: str, field: str) -> None:
    most = MOST[kind][field]
    entry = 1 if field == "vlans" else "x"
    for count in (most, most + 1):
        told_of = [problem for *_, problem in check(_item(kind, {field: (entry,) * count}))]
        assert any(f"{count} entries are more than {most}" in problem for problem in told_of) == (count > most)


def test_texts_are_what_was_written() -> None:
    """YAML 1.1 would make of these: false, 0.0, octal 7, base 60, a date."""
    text = (
        "zones:\n  - {id: no, name: 2027, name_en: 012, layer: cloud, importance: 5, vlans: [5, 21], owner: ~null}\n"
        "assets:\n  - {id: 007, macs: 10:20:30:40:50:59, addresses: 10.0.0.1, name: 2027-06-30}\n"
    )
    plan = read_plan(text)
    zone, asset = plan.zones[0], plan.assets[0]
    assert (zone.id, zone.name, zone.name_en, zone.importance, zone.vlans) == ("no", "2027", "012", 5, (5, 21))
    assert (asset.id, asset.macs, asset.name) == ("007", ("10-20-30-40-50-59",), "2027-06-30")
    assert read_plan(write_plan(plan)) == plan
    assert read_plan("zones:\nconduits: ~\nassets: null\n") == ZonePlan()
    assert read_plan("\ufeffzones: []\n") == ZonePlan()


def test_lines_are_those_of_a_block_and_of_a_flow_alike() -> None:
    text = "# a\nassets:\n  - id: a\n    name: b\n\n  - {id: b,\n     name: c}\n  -\n    id: d\n"
    assert read_draft(text).lines == {("asset", "a"): 3, ("asset", "b"): 6, ("asset", "d"): 9}
    assert read_yaml(text).lines == {"assets": [3, 6, 9]}


_TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=40)


@settings(max_examples=150)
@given(_TEXTS, _TEXTS, st.integers(0, 5))
@example("~", "null", 0)
@example("<<", "&a", 5)
@example("!!int", "*a", 5)
@example("12:30", "1e3", 5)
def test_every_plan_survives_writing_and_reading(name: str, kind: str, importance: int) -> None:
    name = f"x{name}" if not name.strip() else name
    plan = ZonePlan(
        zones=(Zone(id="a", name=name, layer="cloud", vlans=(1, 4094)),),
        assets=(Asset(id=name, name=name, kind=kind, importance=importance),),
    )
    draft = read_draft(write_plan(plan, 7))
    assert (draft.plan, draft.revision, draft.mistakes) == (plan, 7, ())


@settings(max_examples=300)
@given(st.text(alphabet="a: -[]{},&*!<>|'\"\n\t#%?@\\0~é\ud800\x00", max_size=60))
def test_any_text_is_a_plan_or_told_why_not(text: str) -> None:
    with contextlib.suppress(YamlProblem):
        read_yaml(text)
    with contextlib.suppress(PlanError):
        read_plan(text)


def test_a_part_is_checked_with_what_it_becomes_a_part_of() -> None:
    before = read_plan("zones: [{id: a, name: a, layer: cloud, ranges: [10.0.0.0/8]}, {id: b, name: b, layer: cloud}]")
    draft = read_draft("conduits:\n  - {id: c, from: a, to: b, services: https}", "part.yml")
    whole = merged(before, draft.plan)
    draft.refuse_mistakes(whole)
    assert ([zone.id for zone in whole.zones], [one.id for one in whole.conduits]) == (["a", "b"], ["c"])
    with pytest.raises(PlanError, match=r"part\.yml:2: conduit c: from: there is no zone 'a'"):
        draft.refuse_mistakes(merged(before, draft.plan, replace=True))
    clash = read_draft("zones:\n\n  - {id: c, name: c, layer: cloud, ranges: [10.0.0.0/8]}", "part.yml")
    with pytest.raises(PlanError, match=r"part\.yml:3: zone c: range 10\.0\.0\.0/8 belongs to a already"):
        clash.refuse_mistakes(merged(before, clash.plan))
    twice = read_draft("assets: [{id: x}, {id: x}]")
    with pytest.raises(PlanError, match="this id is used twice"):
        twice.refuse_mistakes(merged(before, twice.plan))


def test_of_very_many_mistakes_the_first_thousand_are_told() -> None:
    with pytest.raises(PlanError) as caught:
        read_plan("zones:\n" + "- a\n" * 5000)
    lines = caught.value.message.split("\n")
    assert (len(lines), lines[-1]) == (1001, "zone plan: and 4000 more")
