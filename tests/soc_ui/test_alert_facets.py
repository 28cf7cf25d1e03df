"""Facets of the queue that its page does not wait for."""

from __future__ import annotations

import re
from html import unescape

from flask.testing import FlaskClient
from sqlalchemy import insert

from operations.alerts import facets, service
from operations.alerts.models import AlertCount
from operations.alerts.schema import AlertFilter
from soc_ui.services import Services


def add_hosts(services: Services, number: int) -> None:
    """Kept counts as of ``number`` hosts with one open alert each."""
    rows = [
        {"dimension": "host", "status": "new", "level": "low", "value": f"host-{place:05}", "label": "", "count": 1}
        for place in range(number)
    ]
    with services.database.write() as session:
        session.execute(insert(AlertCount), rows)


def test_few_values_are_in_the_page(client: FlaskClient, filled: Services) -> None:
    text = client.get("/alerts?status=new").text
    assert "/alerts/facet/" not in text
    assert re.search(r'href="/alerts\?[^"]*host=', text)


def test_many_values_are_brought_after_the_rows(client: FlaskClient, filled: Services) -> None:
    add_hosts(filled, facets.MANY + 1)
    text = client.get("/alerts?status=new&level=low&q=").text
    assert "<tr " in text
    addresses = [unescape(address) for address in re.findall(r'hx-get="(/alerts/facet/[^"]+)"', text)]
    assert len(addresses) == 1
    assert addresses[0].startswith("/alerts/facet/host?")
    part = client.get(addresses[0])
    assert part.status_code == 200
    with filled.database.read() as session:
        expected = service.facets(session, AlertFilter(status=("new",), level=("low",)), ("host",))[0].values
    found = re.findall(r'<span class="name">([^<]+)</span><span class="n">([0-9,]+)</span>', part.text)
    assert found == [(entry.value, f"{entry.count:,}") for entry in expected[:10]]
    assert re.findall(r'href="(/alerts\?[^"]+)"', part.text)[0] == f"/alerts?status=new&amp;level=low&amp;host={expected[0].value}"


def test_a_facet_that_is_none(client: FlaskClient) -> None:
    assert client.get("/alerts/facet/password_hash?status=new").status_code == 404
