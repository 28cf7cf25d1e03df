"""In a real browser: the processes and the graph of an alert are drawn, without a word from the content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from kernel.detection import Detection, detection_id
from kernel.store.contract import Commit
from operations.alerts import service as alerts
from operations.alerts.models import Alert
from operations.clock import now, shift
from tests.soc_ui.seed import USER, fill
from tests.soc_ui.test_alert_surroundings import start_event
from tests.system.browser import MARKS, Served, Watch

pytestmark = MARKS


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    services = fill(tmp_path_factory.mktemp("graph"), events=400)
    moment = now()
    names = ("explorer.exe", "winword.exe", "powershell.exe", "whoami.exe", "net.exe", "rundll32.exe")
    parents = (1, 100, 101, 102, 102, 102)
    line = [start_event(shift(moment, n - 60), 100 + n, name, parents[n]) for n, name in enumerate(names)]
    services.store.commit(Commit(line, consumer="graph", position=1))
    with services.database.write() as session:
        fired = line[2]
        id_ = detection_id("graph", [fired["event.id"]])
        alerts.record_detections(
            session, [Detection(id_, "graph", "Graph", "high", "sigma", fired["@timestamp"], [fired["event.id"]], fired)]
        )
    served = Served(services)
    yield served
    served.close()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_both_are_drawn(console: Served, chromium: Browser, tmp_path: Path, lang: str, theme: str) -> None:
    with console.services.database.read() as session:
        alert = session.execute(select(Alert.id).where(Alert.rule_id == "graph")).scalar_one()
    page = console.context(chromium, USER, lang=lang, theme=theme).new_page()
    watch = Watch(page, console.url)
    page.goto(f"/alerts/{alert}")
    for kind in ("processes", "graph"):
        page.locator(f'a[data-around][href$="/{kind}"]').click()
    expect(page.locator(".graph canvas")).to_have_count(6)  # three layers each
    page.wait_for_function("[...document.querySelectorAll('.graph')].every((box) => box.graph && box.graph.nodes().length > 4)")
    page.screenshot(path=tmp_path / f"graph-{lang}.png", full_page=True)
    page.locator(".graph").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # Cytoscape learns of the scrolling by an event
    place = page.evaluate(
        """() => { const box = document.querySelector('.graph');
        const node = box.graph.nodes().filter("[label = 'net.exe']")[0].renderedPosition(), at = box.getBoundingClientRect();
        return [at.x + node.x, at.y + node.y]; }"""
    )
    page.mouse.click(*place)
    expect(page.locator(".graph-menu p")).to_have_text("net.exe /go")
    page.locator(".graph-menu a").click()
    page.wait_for_url("**/hunt/event/**")
    assert watch.problems == []
    page.context.close()


def test_without_scripts_the_lists_stand_on_pages_of_their_own(console: Served, chromium: Browser) -> None:
    with console.services.database.read() as session:
        alert = session.execute(select(Alert.id).where(Alert.rule_id == "graph")).scalar_one()
    page = console.context(chromium, USER, lang="en", script=False).new_page()
    page.goto(f"/alerts/{alert}")
    page.locator('a[data-around][href$="/processes"]').click()
    expect(page.locator(".processes li").first).to_contain_text(
        "explorer.exe" if page.locator("text=p1.exe").count() == 0 else "p1.exe"
    )
    page.context.close()
