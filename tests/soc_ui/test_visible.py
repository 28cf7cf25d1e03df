"""Signs that a browser obeys are shown: a log does not decide how a page about it looks."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kernel.detection import Detection, MatchedField
from kernel.event import Event, event_id, timestamp
from kernel.store.contract import Commit
from kernel.zones.sightings import Sighting
from operations.alerts import service as alerts
from operations.assets import inventory
from soc_ui.app import create_app
from soc_ui.visible import visible
from tests.soc_ui.conftest import log_in
from tests.soc_ui.seed import fill

RLO, LRI, ESC, ZERO = "\u202e", "\u2066", "\x1b", "\u200b"
HOST, USER = f"srv-{RLO}gpj.exe", f"ad{ZERO}min{LRI}"
MESSAGE = f"copied {RLO}txt.exe by {ESC}[2K{USER}\x00\x85"
SHOWN = "srv-⟨U+202E⟩gpj.exe"
OBEYED = {sign for sign in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def test_every_sign_without_a_look_gets_one() -> None:
    for sign in OBEYED - {"\t", "\n"}:
        assert not OBEYED & set(visible(f"a{sign}b")), f"U+{ord(sign):04X}"


@pytest.mark.parametrize("text", ["莲盾　兰亭市", "tab\tand\nline", "no\u00a0break", "שלום", "é", "🚦", "a\r\nb"])
def test_signs_that_are_seen_stay(text: str) -> None:
    assert visible(text) == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "path",
    [
        "/alerts?view=all",
        "/alerts/1",
        "/hunt?last=all",
        "/hunt?last=all&q=%7C+top+host.name",
        "/hunt/top?field=host.name&last=all",
        "/hunt/event/{id}",
        "/hunt?last=all&cols=host.name,user.name,message",
        "/alerts?entity=host:{host}",
        "/assets",
        "/assets/10.9.9.9",
        "/",
    ],
)
def test_no_page_obeys_a_log(twisted: FlaskClient, path: str) -> None:
    answer = twisted.get(path.format(id=event_id("twisted"), host=HOST))
    assert answer.status_code == 200
    told = html.unescape(_without_exact(answer.text))
    assert SHOWN in told
    assert not (OBEYED - {"\t", "\n"}) & set(told)


def test_the_parts_of_an_event_stay_apart(twisted: FlaskClient) -> None:
    text = twisted.get(f"/hunt/event/{event_id('twisted')}").text
    assert f'<bdi dir="ltr">{SHOWN}</bdi>' in text
    assert "copied ⟨U+202E⟩txt.exe by ␛[2Kad⟨U+200B⟩min⟨U+2066⟩␀⟨U+0085⟩" in text


def test_what_is_copied_or_sent_back_is_exact(twisted: FlaskClient) -> None:
    assert f'data-copy="{HOST}"' in twisted.get("/alerts/1").text
    search = twisted.get("/hunt", query_string={"last": "all", "q": f'host.name:"{HOST}"'}).text
    assert f'value="host.name:&#34;{HOST}&#34;"' in search
    assert SHOWN in search


def _without_exact(page: str) -> str:
    """A page without what is not shown but copied, or sent back by a form."""
    return re.sub(r'\b(?:value|data-copy)="[^"]*"', "", page)


@pytest.fixture(scope="module")
def twisted(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("twisted")
    services = fill(folder, events=0)
    now = timestamp(datetime.now(UTC))
    event: Event = {
        "@timestamp": now,
        "event.id": event_id("twisted"),
        "host.name": HOST,
        "user.name": USER,
        "message": MESSAGE,
        "event.original": MESSAGE,
    }
    services.store.commit(Commit([event]))
    detection = Detection(
        id="d", rule_id="r", rule_name=HOST, level="high", engine="sigma", time=now, event_ids=[event["event.id"]], event=event,
        matched=[MatchedField("host.name", HOST, f"*{RLO}*", "selection")], tags=[HOST], description=HOST,
    )  # fmt: skip
    with services.database.write() as session:
        alerts.record_detections(session, [detection])
        inventory.record_sightings(session, [Sighting("z", now, now, address="10.9.9.9", name=HOST)])
    browser = create_app(services).test_client()
    log_in(browser)
    return browser
