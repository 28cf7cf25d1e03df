"""What attackers write into logs, names and rules stays text."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kernel.detection import Detection, MatchedField
from kernel.event import Event, event_id, timestamp
from kernel.store.contract import Commit, Quarantined
from operations.alerts import service as alerts
from soc_ui.app import create_app
from soc_ui.services import RuleCatalogue, RuleFailure, RuleInfo, SourceHealth
from tests.soc_ui.conftest import log_in
from tests.soc_ui.seed import fill

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}javascript:alert(3)"


class _Tags(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in ("script", "iframe", "object") and not (names.get("src") or "").startswith("/static/"):
            self.found.append(tag)
        self.found += [
            name for name, value in attrs if name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
        ]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/overview/numbers",
        "/alerts?view=all",
        "/alerts/1",
        "/hunt?last=all",
        "/hunt?q=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/sources",
        "/sources/quarantine",
        "/rules",
        "/rules/evil",
        "/rules/failures",
        "/alerts?q=%22%3E%3Cscript%3E",
        "/alerts?host=%22%3E%3Cscript%3E",
        "/hunt?cols=%22%3E%3Cscript%3E",
        "/hunt/top?field=host.name&last=all",
        "/login?next=%22%3E%3Cscript%3E",
        "/preferences?lang=en&next=javascript:alert(1)",
        "/rules?q=%22%3E%3Cscript%3E",
    ],
)
def test_hostile_text_never_becomes_markup(hostile, path: str) -> None:  # type: ignore[no-untyped-def]
    answer = hostile.get(path, follow_redirects=True)
    assert answer.status_code in (200, 400)
    tags = _Tags()
    tags.feed(answer.text)
    assert tags.found == []
    assert "49javascript" not in answer.text


def test_the_whole_hostile_event_is_shown_as_text(hostile) -> None:  # type: ignore[no-untyped-def]
    text = hostile.get("/alerts/1").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("hostile")
    services = fill(folder, events=0)
    now = timestamp(datetime.now(UTC))
    event: Event = {
        "@timestamp": now,
        "event.id": event_id("evil"),
        "host.name": EVIL,
        "user.name": EVIL,
        "event.dataset": EVIL,
        "message": EVIL,
        "event.original": EVIL,
        "process.command_line": EVIL,
        f"labels.{EVIL}": EVIL,
        "tags": [EVIL],
    }
    services.store.commit(Commit([event], quarantined=[Quarantined("q", now, EVIL, EVIL, EVIL, EVIL.encode())]))
    matched = [MatchedField(EVIL, EVIL, EVIL, EVIL)]
    detection = Detection(
        id="d",
        rule_id="evil",
        rule_name=EVIL,
        level="critical",
        engine=EVIL[:16],
        time=now,
        event_ids=[event["event.id"]],
        event=event,
        tags=[EVIL],
        matched=matched,
        description=EVIL,
        author=EVIL,
        references=[EVIL, "javascript:alert(4)"],
        falsepositives=[EVIL],
        rule_file=EVIL,
    )
    with services.database.write() as session:
        alerts.record_detections(session, [detection])
    rule = RuleInfo("evil", EVIL, EVIL, EVIL, (EVIL,), EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL, "javascript:alert(5)"))
    services.rules = lambda: RuleCatalogue((rule,), (RuleFailure(EVIL, 1, EVIL),))
    services.health = lambda: [SourceHealth(EVIL, EVIL, error=EVIL)]
    browser = create_app(services).test_client()
    log_in(browser)
    return browser
