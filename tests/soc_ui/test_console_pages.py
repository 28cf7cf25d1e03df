"""What stands on the pages, over real alerts and events."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit import service as audit
from soc_ui.services import Services
from tests.operations.statements import statements
from tests.soc_ui.conftest import post
from tests.soc_ui.seed import RULES, USER

LSASS = RULES[0].id


def _rows(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'<tr data-id="(\d+)"', text)]


# --- overview -----------------------------------------------------------------------------------------------------------------


def test_overview_counts_what_the_service_counts(client: FlaskClient, filled: Services) -> None:
    text = client.get("/").text
    with filled.database.read() as session:
        urgent = alerts.count_alerts(session, AlertFilter(status=("new",), level=("critical",))).count
        top = alerts.top(session, "rule", limit=1)[0]
    assert f'</b><span class="visually-hidden">Critical</span></span>{urgent}</span>' in text
    assert top.label in text
    assert "nginx-access" in text


def test_overview_takes_one_sample_for_its_top_lists(client: FlaskClient, filled: Services) -> None:
    with statements(filled.database) as sent:
        page = client.get("/").text
    with filled.database.read() as session:
        [rule] = alerts.top(session, "rule", limit=1)
    assert rule.value in page or rule.label in page
    samples = [one for one in sent if "alerts.rule_name" in one and "alerts.source_ip" not in one]
    assert len(samples) == 1


def test_overview_charts_have_one_value_per_slice(client: FlaskClient) -> None:
    series = client.get("/overview/charts.json").json
    assert len(series["alerts"]["starts"]) == 48
    assert {len(values) for values in series["alerts"]["levels"].values()} == {48}
    assert sum(map(sum, series["alerts"]["levels"].values())) > 100
    assert len(series["ingest"]["starts"]) == len(series["ingest"]["eps"]) == 120
    assert max(series["ingest"]["eps"]) > 500  # the sum of all sources, none of which has more


def test_a_refresh_brings_every_part_that_the_page_has(client: FlaskClient) -> None:
    page, parts = client.get("/").text, client.get("/overview/numbers").text
    for name in re.findall(r'<section class="[^"]*" id="([\w-]+)"', page):
        assert f'id="{name}" hx-swap-oob="true"' in parts


# --- queue --------------------------------------------------------------------------------------------------------------------


def test_the_bare_address_is_the_view_of_open_alerts(client: FlaskClient) -> None:
    answer = client.get("/alerts")
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.location).query) == {"status": ["new", "acknowledged", "in_progress"]}


def test_paging_by_cursor_shows_every_alert_once(client: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        expected = alerts.count_alerts(session).count
    seen: list[int] = []
    url = "/alerts?view=all"
    while url:
        text = client.get(url).text
        seen += _rows(text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        url = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == expected


def test_filters_narrow_and_stand_as_chips_that_take_them_away(client: FlaskClient) -> None:
    text = client.get(f"/alerts?status=new&rule={LSASS}&level=critical").text
    assert set(re.findall(r'class="rowlink"[^>]*>([^<]+)<', text)) == {"LSASS Memory Read by an Unusual Process"}
    chips = re.findall(r'class="chip" href="([^"]+)"', text)
    assert [sorted(parse_qs(urlsplit(chip.replace("&amp;", "&")).query)) for chip in chips] == [
        ["level", "rule"],
        ["level", "status"],
        ["rule", "status"],
    ]


def test_text_and_entity_filters_find_what_they_name(client: FlaskClient) -> None:
    assert _rows(client.get("/alerts?q=lsass").text)
    assert not _rows(client.get("/alerts?q=nothing-has-this-word").text)
    assert "No alert matches these filters" in client.get("/alerts?q=nothing-has-this-word").text
    assert _rows(client.get("/alerts?entity=host:scada-hmi-3").text)


def test_a_wrong_time_range_is_told_not_crashed(client: FlaskClient) -> None:
    for query in ("last=soon", "from=yesterday", "from=2026-11-23&to=2026-11-22", "from=9999-99-99"):
        answer = client.get(f"/alerts?{query}")
        assert answer.status_code == 400
        assert "time" in answer.text
    assert client.get("/alerts?cursor=rubbish").status_code == 422


def test_bulk_change_with_note_then_undo(client: FlaskClient, filled: Services) -> None:
    ids = _rows(client.get("/alerts?status=new").text)[:3]
    answer = post(
        client,
        "/alerts/bulk",
        {"ids": ids, "action": "acknowledge", "note": "seen by night shift", "next": "/alerts?status=new&status=closed"},
    )
    target = parse_qs(urlsplit(answer.location).query)
    assert (target["done"], target["n"], target["status"]) == (["change"], ["3"], ["new", "closed"])
    with filled.database.read() as session:
        for alert_id in ids:
            detail = alerts.get_detail(session, alert_id)
            assert detail.alert.status == "acknowledged"
            assert (detail.history[0].actor, detail.history[0].note) == (USER, "seen by night shift")
    page = client.get(answer.location).text
    assert "3 alerts changed." in page
    assert target["batch"][0] in page
    back = post(client, "/alerts/undo", {"batch": target["batch"][0], "next": "/alerts?status=new&status=closed"})
    assert parse_qs(urlsplit(back.location).query)["status"] == ["new", "closed"]
    with filled.database.read() as session:
        assert {alerts.get_alert(session, alert_id).status for alert_id in ids} == {"new"}


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("start", "status", "in_progress"),
        ("close:false_positive", "verdict", "false_positive"),
        ("mine", "assignee", USER),
        ("reopen", "status", "new"),
    ],
)
def test_each_bulk_button_does_what_it_says(client: FlaskClient, filled: Services, action: str, field: str, value: str) -> None:
    alert_id = _rows(client.get("/alerts?view=all").text)[5]
    post(client, "/alerts/bulk", {"ids": alert_id, "action": action})
    with filled.database.read() as session:
        assert getattr(alerts.get_alert(session, alert_id), field) == value


def _ended(client: FlaskClient, place: str) -> None:
    deadline = time.monotonic() + 30
    while "every 1s" in client.get(place).text:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_act_on_everything_that_matches_reaches_beyond_the_page(client: FlaskClient, filled: Services) -> None:
    where = AlertFilter(rule=("ca2092a1-c273-4878-9b4b-0d60115bf5ea",), status=("new",))
    with filled.database.read() as session:
        ids = alerts.matching_ids(session, where, 1000)
    assert len(ids) > 20
    target = f"/alerts?rule={where.rule[0]}&status=new"
    answer = post(client, "/alerts/bulk", {"ids": ids[0], "everything": "1", "action": "start", "next": target})
    shown = client.get(answer.location)
    assert f"Change {len(ids)} alerts" in shown.text
    with filled.database.read() as session:
        assert alerts.count_alerts(session, where).count == len(ids)  # only shown so far
    place = urlsplit(answer.location).path
    post(client, place + "/start", {"next": target})
    _ended(client, place)
    with filled.database.read() as session:
        assert alerts.count_alerts(session, where).count == 0
        assert {alerts.get_alert(session, alert_id).status for alert_id in ids} == {"in_progress"}
    _ended(client, post(client, place + "/undo", {"next": target}).location)
    with filled.database.read() as session:
        assert alerts.count_alerts(session, where).count == len(ids)


def test_nothing_selected_is_said(client: FlaskClient) -> None:
    answer = post(client, "/alerts/bulk", {"action": "acknowledge", "next": "/alerts?status=new"})
    assert "Nothing was selected." in client.get(answer.location).text


def test_the_bar_counts_alerts_made_after_the_page(client: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        latest = alerts.latest_id(session)
    assert client.get(f"/alerts/new?after={latest}").json["count"] == 0
    assert client.get(f"/alerts/new?after={latest - 2}").json == {"count": 2, "text": "2 new alerts: show them"}
    assert client.get(f"/alerts/new?after={latest - 2}&q=nothing-has-this-word").json["count"] == 0


# --- one alert ----------------------------------------------------------------------------------------------------------------


def test_an_alert_says_why_it_fired_and_marks_the_rule(client: FlaskClient) -> None:
    alert_id = _rows(client.get(f"/alerts?rule={LSASS}").text)[0]
    text = client.get(f"/alerts/{alert_id}").text
    assert r"C:\Windows\System32<mark>\lsass.exe</mark>" in text
    hits = re.findall(r'<span class="ln hit" data-n="(\d+)">(.*?)</span>', text)
    assert [re.sub(r"<[^>]+>", "", line).strip() for _, line in hits] == [
        r"TargetImage|endswith: &#39;\lsass.exe&#39;",
        "- &#39;0x1fffff&#39;",
    ]
    assert "Raw record" in text
    assert "&#34;GrantedAccess&#34;: &#34;0x1fffff&#34;" in text


def test_every_pivot_of_an_alert_is_a_query_that_finds_its_event(client: FlaskClient, filled: Services) -> None:
    alert_id = _rows(client.get(f"/alerts?rule={LSASS}").text)[0]
    with filled.database.read() as session:
        event = alerts.get_detail(session, alert_id).event
    links = re.findall(r'href="(/hunt\?[^"]+)" title="Only events with this value"', client.get(f"/alerts/{alert_id}").text)
    assert len(links) > 8
    for link in links:
        query = parse_qs(urlsplit(link.replace("&amp;", "&")).query)["q"][0]
        found = filled.store.search(parse_query(query), TimeRange(), limit=1000, fields=["event.id"])
        assert event["event.id"] in [hit["event.id"] for hit in found.events], query


def test_the_form_changes_the_alert_once_and_notices_a_second_hand(client: FlaskClient, filled: Services) -> None:
    alert_id = _rows(client.get("/alerts?view=all").text)[8]
    with filled.database.read() as session:
        version = alerts.get_alert(session, alert_id).version
    form = {"version": version, "status": "closed", "verdict": "benign", "assignee": USER, "note": "planned test"}
    answer = post(client, f"/alerts/{alert_id}", form)
    assert "done=change" in answer.location
    with filled.database.read() as session:
        row = alerts.get_alert(session, alert_id)
    assert (row.status, row.verdict, row.assignee) == ("closed", "benign", USER)
    late = post(client, f"/alerts/{alert_id}", form | {"status": "new"})
    assert "Somebody else changed this alert" in client.get(late.location).text
    assert "planned test" in client.get(f"/alerts/{alert_id}").text


def test_an_assignee_who_does_not_exist_is_refused(client: FlaskClient) -> None:
    assert post(client, "/alerts/1", {"assignee": "nobody-here"}).status_code == 422


def test_notes_are_kept_and_empty_ones_refused(client: FlaskClient) -> None:
    assert "done=note" in post(client, "/alerts/2/notes", {"note": "第一条备注"}).location
    assert "第一条备注" in client.get("/alerts/2").text
    assert "done=nothing" in post(client, "/alerts/2/notes", {"note": "  "}).location


def test_what_does_not_exist_is_404(client: FlaskClient) -> None:
    for path in ("/alerts/999999", "/hunt/event/ffff", "/rules/unknown", "/nowhere"):
        assert client.get(path).status_code == 404


# --- hunt ---------------------------------------------------------------------------------------------------------------------


def test_hunt_shows_what_the_store_finds(client: FlaskClient, filled: Services) -> None:
    query = "process.name:powershell.exe"
    expected = filled.store.count(parse_query(query), TimeRange())
    text = client.get("/hunt", query_string={"q": query, "last": "all"}).text
    shown = [int(number) for number in re.findall(r'<span class="num">([0-9,]+)</span>', text)]
    assert shown == [expected, expected] if expected < 100 else not shown and text.count("data-counted>…<") == 2
    assert len(re.findall(r"<tr data-id=", text)) == min(100, expected)
    everything = client.get("/hunt", query_string={"last": "all"}).text  # more than one page: the bars tell the number
    assert everything.count("data-counted>…<") == 2
    assert everything.count("<tr data-id=") == 100
    bars = client.get("/hunt/histogram.json", query_string={"q": query, "last": "all"}).json
    assert sum(bars["counts"]) == expected


def test_a_wrong_query_is_shown_with_its_place(client: FlaskClient) -> None:
    answer = client.get("/hunt", query_string={"q": 'user.name:a AND "open'})
    assert answer.status_code == 400
    assert '<span class="ghost">user.name:a AND </span><span class="caret">^</span>' in answer.text
    assert client.get("/hunt/histogram.json", query_string={"q": "a AND"}).status_code == 400
    assert client.get("/hunt/top", query_string={"q": "(", "field": "host.name"}).status_code == 400
    assert client.get("/hunt?q=&from=tomorrow").status_code == 400


def test_columns_come_from_the_address_or_the_query(client: FlaskClient) -> None:
    text = client.get("/hunt", query_string={"q": "", "cols": "dns.question.name,source.ip"}).text
    assert re.findall(r"<th>([\w.]+)</th>", text) == ["Time", "dns.question.name", "source.ip"]
    text = client.get("/hunt", query_string={"q": "* | fields url.original, host.name"}).text
    assert re.findall(r"<th>([\w.]+)</th>", text) == ["Time", "url.original", "host.name"]
    text = client.get("/hunt", query_string={"cols": "source.ip", "addcol": "user.name"}).text
    assert re.findall(r"<th>([\w.]+)</th>", text) == ["Time", "source.ip", "user.name"]


def test_top_and_count_pipes_have_their_own_view(client: FlaskClient, filled: Services) -> None:
    text = client.get("/hunt", query_string={"q": "* | top event.dataset 3", "last": "all"}).text
    expected = filled.store.top(parse_query(""), TimeRange(), "event.dataset", limit=3)
    assert re.findall(r'class="clip rowlink mono" href="[^"]+">([^<]+)<', text) == [entry.key for entry in expected]
    total = filled.store.count(parse_query(""), TimeRange())
    assert f'<span class="big">{total:,}</span>' in client.get("/hunt", query_string={"q": "* | count", "last": "all"}).text


def test_an_event_opens_inside_the_table_and_as_a_page(client: FlaskClient, filled: Services) -> None:
    event = filled.store.search(parse_query("event.dataset:linux.auth"), TimeRange(), limit=1, fields=["*"]).events[0]
    path = f"/hunt/event/{event['event.id']}?q=event.dataset:linux.auth"
    row = client.get(path, headers={"HX-Request": "true"}).text
    assert row.lstrip().startswith("<tr")
    assert event["source.ip"] in row
    assert "<html" in client.get(path).text


def test_export_gives_all_hits_and_is_audited(client: FlaskClient, filled: Services) -> None:
    query = "event.dataset:nginx.access"
    expected = filled.store.count(parse_query(query), TimeRange())
    form = {"q": query, "last": "all", "cols": "host.name,url.original"}
    answer = post(client, "/hunt/export", form | {"format": "csv"})
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == expected
    assert list(rows[0]) == ["@timestamp", "event.id", "host.name", "url.original"]
    lines = post(client, "/hunt/export", form | {"format": "jsonl"}).data.splitlines()
    assert {json.loads(line)["event.id"] for line in lines} == {row["event.id"] for row in rows}
    with filled.database.read() as session:
        entry = audit.listing(session, action="events.export", limit=1).entries[0]
    assert (entry.actor, entry.detail["query"], entry.detail["format"]) == (USER, query, "jsonl")
    assert post(client, "/hunt/export", form | {"format": "exe"}).status_code == 400
    assert post(client, "/hunt/export", {"q": "("}).status_code == 400


# --- sources, rules -----------------------------------------------------------------------------------------------------------


def test_sources_show_every_counter_and_sort(client: FlaskClient) -> None:
    text = client.get("/sources?sort=received&down=1").text
    assert re.findall(r'<tr id="([\w-]+)">', text)[:2] == ["syslog-tcp", "suricata-eve"]
    assert "184,220" in text
    assert "permission denied" in text
    assert re.findall(r'<tr id="([\w-]+)">', client.get("/sources?kind=file").text) == ["nginx-access"]
    assert "<html" not in client.get("/sources", headers={"HX-Request": "true"}).text


def test_rules_filter_and_open(client: FlaskClient) -> None:
    assert re.findall(r'<tr data-id="([^"]+)"', client.get("/rules?engine=suricata").text) == ["suricata:9000042"]
    assert len(re.findall(r"<tr data-id=", client.get("/rules?q=attack.t1059").text)) == 1
    assert "modbus: access write holding" in client.get("/rules/suricata:9000042").text
    assert "selection_x, which is not defined" in client.get("/rules/failures").text


def test_an_empty_console_says_on_every_page_what_to_do_next(empty: FlaskClient) -> None:
    for path, words in (
        ("/", "尚未配置采集源"),
        ("/alerts?view=all", "尚无告警"),
        ("/hunt", "未找到事件"),
        ("/sources", "docs/configuration.md"),
        ("/sources/quarantine", "没有隔离的记录"),
        ("/rules", "尚未加载规则"),
        ("/rules/failures", "所有规则均已加载"),
    ):
        answer = empty.get(path)
        assert answer.status_code == 200
        assert words in answer.text
    assert empty.get("/overview/charts.json").json["ingest"] == {"eps": [], "starts": []}


def test_hunt_tells_the_statistics_of_a_field(client: FlaskClient, filled: Services) -> None:
    field, ever = "destination.port", TimeRange()
    ports = [event[field] for event in filled.store.search(parse_query(f"{field}:*"), ever, limit=1000, fields=[field]).events]
    text = client.get("/hunt/top", query_string={"field": field, "last": "all"}).text
    share = 1 - len(ports) / filled.store.count(parse_query(""), ever)
    assert f"missing in {share:.1%}" in text
    assert f"from {min(ports):,.6g} to {max(ports):,.6g}, mean {sum(ports) / len(ports):,.6g}" in text
    assert "missing" not in client.get("/hunt/top", query_string={"field": "no.such.field", "last": "all"}).text
