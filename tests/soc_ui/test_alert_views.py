"""Saved views of the queue: what they keep, who sees them, who changes them; they never show more than their filters by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts.saved_views import MAX_QUERY, MOST
from operations.audit.schema import SYSTEM
from operations.errors import Invalid
from soc_ui.alerts import filters
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones

API = "/api/v1/alert-views"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("views"), events=60)
    fill_zones(services, events=600)
    for name, reach in {
        "he.ping": Reach(),
        "water.one": Reach(zones=("water-ot",)),
        "water.two": Reach(zones=("water-ot",)),
        "traffic.one": Reach(zones=("traffic-field",)),
    }.items():
        create_user(services.database, SYSTEM, name, PASSWORD, "analyst", reach=reach)
    return services


def ask(browser: FlaskClient, method: str, path: str, body: Any = None, match: str = "") -> Any:
    headers = {"X-CSRFToken": token_of(browser, "/account")} | ({"If-Match": match} if match else {})
    return browser.open(API + path, method=method, json=body, headers=headers)


def ids(browser: FlaskClient, address: str) -> list[str]:
    return re.findall(r'<tr data-id="(\d+)"', browser.get(address).text)


def test_a_view_shows_what_its_filters_show(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    made = post(browser, "/alerts/views", {"name": "高危 high", "next": "/alerts?level=high&status=new&cursor=x&n=4"})
    slug = made.location.partition("view=")[2].partition("&")[0]
    assert slug.startswith("high-")
    assert ids(browser, f"/alerts?view={slug}") == ids(browser, "/alerts?level=high&status=new") != []
    assert 'aria-current="page">高危 high' in browser.get(f"/alerts?view={slug}").text
    assert ask(browser, "GET", f"/{slug}").json["query"] == "level=high&status=new"
    narrower = ids(browser, f"/alerts?view={slug}&level=low")  # what stands in the address goes before
    assert narrower == ids(browser, "/alerts?level=low&status=new")


def test_built_in_views(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    assert ids(browser, "/alerts?view=open") == ids(browser, browser.get("/alerts").location) != []
    by_hand = f"/alerts?status=new&status=acknowledged&status=in_progress&assignee={USER}&assignee=-"
    assert ids(browser, "/alerts?view=mine-and-unassigned") == ids(browser, by_hand) != []
    assert 'aria-current="page">Mine and unassigned' in browser.get(by_hand).text
    assert len(ids(browser, "/alerts?view=all")) == 50
    assert browser.get("/alerts?view=nothing").status_code == 404
    assert browser.get("/alerts/new?after=0&view=open").json["count"] > 0


def test_only_the_owner_changes_and_deletes(app: APIFlask) -> None:
    owner, other = browser_of(app, USER), browser_of(app, "he.ping")
    private = ask(owner, "POST", "", {"name": "private", "query": f"assignee={USER}&q=web"}).json
    shared = ask(owner, "POST", "", {"name": "common", "query": "status=new", "shared": True})
    assert shared.status_code == 201
    slug = shared.json["slug"]
    assert [view["slug"] for view in ask(other, "GET", "").json["views"]] == [slug]
    assert ask(other, "GET", f"/{private['slug']}").status_code == 404
    assert other.get(f"/alerts?view={private['slug']}").status_code == 404
    assert other.get(f"/alerts?view={slug}").status_code == 200
    assert ask(other, "PATCH", f"/{slug}", {"name": "taken"}, '"1"').status_code == 404
    assert ask(other, "DELETE", f"/{slug}", match='"1"').status_code == 404
    assert post(other, f"/alerts/views/{slug}", {"act": "delete", "version": "1"}).status_code == 404

    assert ask(owner, "PATCH", f"/{slug}", {"name": "new name"}).status_code == 428
    changed = ask(owner, "PATCH", f"/{slug}", {"name": "new name", "query": "level=low"}, '"1"')
    assert (changed.status_code, changed.headers["ETag"], changed.json["query"]) == (200, '"2"', "level=low")
    assert ask(owner, "DELETE", f"/{slug}", match='"1"').status_code == 412
    assert post(owner, f"/alerts/views/{slug}", {"name": "x", "version": "1"}).status_code == 409
    assert ask(owner, "DELETE", f"/{slug}", match='"2"').status_code == 204
    assert ask(other, "GET", "").json["views"] == []


def test_shared_within_a_scope_only_and_never_more_than_it_sees(app: APIFlask) -> None:
    one, two, elsewhere, whole = (browser_of(app, name) for name in ("water.one", "water.two", "traffic.one", "he.ping"))
    slug = ask(one, "POST", "", {"name": "water", "query": "", "shared": True}).json["slug"]
    assert ids(two, f"/alerts?view={slug}") == ids(two, "/alerts?view=all") != []
    assert set(ids(two, f"/alerts?view={slug}")) < set(ids(whole, "/alerts?view=all") + ids(two, "/alerts?view=all"))
    for browser in (elsewhere, whole):
        assert browser.get(f"/alerts?view={slug}").status_code == 404
        assert ask(browser, "GET", f"/{slug}").status_code == 404
    wider = ask(whole, "POST", "", {"name": "city", "query": "", "shared": True}).json["slug"]
    assert one.get(f"/alerts?view={wider}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "status=gone",
        "colour=red",
        "level=high&level=worst",
        "entity=zone",
        "last=5y",
        "from=yesterday",
        "q=a&q=b",
        "suppression=x",
        "order=up",
        "cursor=2026-11-23T04:00:00.000000Z~1",
        "rule=a%0Ab",
        "host=" + "h" * 256,
        "&".join(f"host=h{n}" for n in range(21)),
    ],
)
def test_nothing_else_is_kept(app: APIFlask, query: str) -> None:
    answer = ask(browser_of(app, USER), "POST", "", {"name": "n", "query": query})
    assert answer.status_code == 422, answer.json


def test_limits(app: APIFlask) -> None:
    browser = browser_of(app, "traffic.one")
    long = "&".join(f"host={'h' * 120}{n}" for n in range(18))
    assert len(long) > MAX_QUERY
    assert ask(browser, "POST", "", {"name": "long", "query": long}).status_code == 422
    assert post(browser, "/alerts/views", {"name": "n" * 61, "next": "/alerts?status=new"}).status_code == 422
    for number in range(MOST):
        assert ask(browser, "POST", "", {"name": f"view {number}", "query": "status=new"}).status_code == 201
    assert ask(browser, "POST", "", {"name": "one more", "query": "status=new"}).status_code == 422
    assert ask(browser, "PATCH", f"/{ask(browser, 'GET', '').json['views'][0]['slug']}", {"name": "view 7"}, "*").status_code == 422


@given(st.lists(st.tuples(st.sampled_from((*filters.VIEWABLE, "view", "x")), st.text(max_size=12)), max_size=8))
def test_whatever_is_kept_is_a_filter(pairs: list[tuple[str, str]]) -> None:
    try:
        kept = filters.kept(MultiDict(pairs), "me")
    except Invalid:
        return
    assert all(name in filters.VIEWABLE for name, _ in kept)
    assert filters.kept(MultiDict(kept), "me") == kept
