"""Chinese first, English by a switch, nothing left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from tests.soc_ui.conftest import log_in

UI = Path(__file__).resolve().parents[2] / "soc_ui"
CATALOGUE = UI / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def _used() -> set[str]:
    found = extract_from_dir(str(UI), METHODS, keywords={"_": None, "gettext": None, "ngettext": (1, 2)})
    return {message[2][0] if isinstance(message[2], tuple) else message[2] for message in found}


def _key(name: object) -> str:
    """The singular, whichever way a reader of catalogues gives plurals."""
    return str(name[0]) if isinstance(name, (tuple, list)) else str(name)


def test_every_text_has_a_chinese_one_with_the_same_places() -> None:
    with (CATALOGUE / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    translated = {
        (m.id[0] if isinstance(m.id, tuple) else m.id): (m.string[0] if isinstance(m.string, tuple) else m.string)
        for m in catalogue
        if m.id
    }
    used = _used()
    assert used - set(translated) == set()
    assert set(translated) - used == set()
    for english, chinese in translated.items():
        assert chinese.strip(), english
        assert sorted(re.findall(r"%\(\w+\)\w", english)) == sorted(re.findall(r"%\(\w+\)\w", chinese)), english


def test_the_compiled_catalogue_is_that_of_the_text_file() -> None:
    with (CATALOGUE / "messages.po").open("rb") as text, (CATALOGUE / "messages.mo").open("rb") as compiled:
        ours, shipped = read_po(text, locale="zh_Hans_CN"), read_mo(compiled)
    assert {_key(m.id): list(m.string) for m in shipped if m.id} == {_key(m.id): list(m.string) for m in ours if m.id}


def test_without_a_choice_pages_are_chinese(anonymous: FlaskClient) -> None:
    log_in(anonymous)
    text = anonymous.get("/").text
    assert '<html lang="zh-CN"' in text
    assert "总览" in text
    assert "Overview" not in text


def test_the_switch_keeps_the_page_with_its_filters(client: FlaskClient) -> None:
    page = client.get("/alerts?status=new&level=high").text
    link = re.search(r'href="(/preferences\?[^"]*lang=zh)"', page)
    assert link is not None
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.location == "/alerts?status=new&level=high"
    assert "新告警" in client.get(answer.location).text


@pytest.mark.parametrize(("name", "value"), [("theme", "dark"), ("density", "comfortable"), ("rail", "narrow")])
def test_the_look_is_kept_and_rendered_by_the_server(client: FlaskClient, name: str, value: str) -> None:
    client.get(f"/preferences?{name}={value}&next=/rules")
    assert f'data-{name}="{value}"' in client.get("/rules").text
    client.get(f"/preferences?{name}=rubbish&next=/rules")
    assert f'data-{name}="{value}"' in client.get("/rules").text
