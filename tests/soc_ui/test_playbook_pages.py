"""Pages of playbooks: runs, what they ask of people, the shelf, starting, versions; roles; words that were chosen to break."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from crypto.secret import MasterKey
from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from playbooks.library import load
from playbooks.run import journal, listing, questions, steering
from playbooks.run.announcing import sealed_link
from playbooks.run.events import Ended
from playbooks.shelf import service
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.playbooks.documents import FIRST, document, octets, uuid
from tests.playbooks.shelf.people import RESPONDER
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_playbooks import (
    EDITOR,
    EVIL,
    failed_undo,
    fill_runs,
    fill_shelf,
    go_on,
    question,
    run,
    shipped,
    ticket,
    two_people,
)
from tests.soc_ui.seed_zones import fill_zones

DRILL = json.loads(shipped("drill"))["id"]
TASK = f"playbook--{uuid(300)}"
Open = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("playbooks"), events=60)
    fill_zones(made, events=60)
    for role in ("analyst", "responder", "duty", "leader"):
        create_user(made.database, SYSTEM, f"the.{role}", PASSWORD, role)
    create_user(made.database, SYSTEM, "the.zone", PASSWORD, "responder", reach=Reach(zones=("water-ot",)))
    fill_shelf(made.database)
    return replace(made, master_key=MasterKey(b"0123456789abcdef"))


@pytest.fixture(scope="module")
def runs(filled: Services) -> dict[str, int]:
    return fill_runs(filled.database)


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


@pytest.fixture
def as_(app: APIFlask) -> Open:
    return lambda role, lang="en": browser_of(app, f"the.{role}", lang)


def state(filled: Services, run_id: int) -> str:
    with filled.database.read() as session:
        return listing.get_run(session, run_id).run.state


def question_of(browser: FlaskClient, run_id: int) -> tuple[str, str]:
    """Number and digest of the question that a run asks."""
    text = browser.get(f"/playbooks/runs/{run_id}").text
    number = re.search(r"/playbooks/questions/(\d+)/(?:approval|answer)", text)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text)
    assert number is not None
    return number[1], digest[1] if digest else ""


def test_the_list_of_runs(as_: Open, runs: dict[str, int]) -> None:
    browser = as_("analyst")
    page = browser.get("/playbooks/runs").text
    assert all(f'data-id="{number}"' in page for number in runs.values())
    failed = browser.get("/playbooks/runs?state=failed").text
    assert f'data-id="{runs["failed"]}"' in failed
    assert f'data-id="{runs["finished"]}"' not in failed
    waiting = browser.get("/playbooks/runs?state=open").text
    assert f'data-id="{runs["evil"]}"' in waiting
    assert f'data-id="{runs["finished"]}"' not in waiting
    assert "No run matches" in browser.get("/playbooks/runs?playbook=playbook--none").text
    assert browser.get("/playbooks/runs?cursor=x").status_code == 422
    assert "剧本" in as_("analyst", "zh").get("/playbooks/runs").text


def test_a_run_tells_its_story(as_: Open, runs: dict[str, int]) -> None:
    browser = as_("analyst")
    done = browser.get(f"/playbooks/runs/{runs['finished']}").text
    assert "the run is over: Completed" in done
    assert "liandun-ticket" in done
    assert "/alerts/1" in done
    assert "hx-get" not in done.partition('id="run-live"')[2].partition(">")[0]
    failed = browser.get(f"/playbooks/runs/{runs['failed']}").text
    assert "the parameters of liandun-ticket are wrong" in failed
    shown = browser.get(f"/playbooks/runs/{runs['shipped']}").text
    assert "Brute force" in shown
    assert "Block an address" in shown
    other = re.search(r'href="([^"]*of=[0-9a-f]{64})"', shown)
    assert other is not None
    assert browser.get(html.unescape(other[1])).status_code == 200
    assert browser.get("/playbooks/runs/999").status_code == 404


def test_what_an_alert_set_going_stands_on_its_page(filled: Services, as_: Open, runs: dict[str, int]) -> None:
    page = as_("analyst").get("/alerts/1").text
    assert 'href="/playbooks/runs?subject=alert:1"' in html.unescape(page).replace("%3A", ":")
    assert f"/playbooks/runs/{runs['finished']}" in page
    assert "<script>alert(1)" not in page
    assert "<h2>剧本执行</h2>" in as_("analyst", "zh").get("/alerts/1").text
    for quiet in ("/alerts/2", "/incidents/1"):
        assert "/playbooks/runs/" not in as_("analyst").get(quiet).text
    listed = as_("analyst").get("/playbooks/runs?subject=alert:1&state=failed").text
    assert f'data-id="{runs["failed"]}"' in listed
    assert f'data-id="{runs["finished"]}"' not in listed
    assert "Alert #1" in listed
    for wrong in ("alert:x", "alert:1'--", "asset:%00", "%3Cscript%3E"):
        answer = as_("analyst").get(f"/playbooks/runs?subject={wrong}")
        assert (answer.status_code, "<script>" in answer.text.partition("<main")[2]) == (200, False)
    for who in ("leader", "zone"):
        scoped = as_(who).get("/alerts/1")
        assert ("/playbooks/runs/" in scoped.text) == (who == "leader")


def test_only_ten_runs_of_an_alert_are_shown(filled: Services, as_: Open) -> None:
    with filled.database.write() as session:
        wanted = journal.Wanted(body=ticket(), by=EVIL, cause={"kind": "alert", "id": 3, "trigger": 5})
        ids = journal.request_all(session, [wanted] * 12)
    page = as_("analyst").get("/alerts/3").text
    assert [f'/playbooks/runs/{one}"' in page for one in ids] == [False] * 2 + [True] * 10
    assert "the newest 10" in page
    assert "/playbooks/triggers/5" in page
    assert "<img src=x" not in page


def test_a_page_that_saw_everything_is_told_nothing(as_: Open, runs: dict[str, int]) -> None:
    browser = as_("analyst")
    path = f"/playbooks/runs/{runs['evil']}"
    for part in ("live", "asked"):
        page = browser.get(path).text
        again = re.search(rf'hx-get="([^"]*/{part}[^"]*)"', page)
        assert again is not None
        assert browser.get(html.unescape(again[1])).status_code == 204
        assert browser.get(f"{path}/{part}?seen=0").status_code == 200


@pytest.mark.parametrize("path", ["/playbooks", "/playbooks/runs", "/playbooks/questions", f"/playbooks/{TASK}",
                                  f"/playbooks/{DRILL}?version=2", f"/playbooks/{DRILL}/difference?old=1&new=2",
                                  f"/playbooks/{TASK}/edit", f"/playbooks/{TASK}/start"])  # fmt: skip
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_hostile_words_are_words(as_: Open, runs: dict[str, int], path: str, lang: str) -> None:
    for address in (path, *(f"/playbooks/runs/{number}" for number in runs.values())):
        page = as_("responder", lang).get(address)
        assert page.status_code == 200, address
        assert "<script>alert(1)" not in page.text
        assert "<img src=x" not in page.text
        assert "49" not in page.text.partition("{{ 7*7 }}")[0][-2:]


def test_two_people_agree_to_exactly_what_was_shown(filled: Services, as_: Open) -> None:
    asking = run(filled.database, ticket("核查"), {"__ip__": "203.0.113.7"}, by="the.responder", gate=two_people)
    number, digest = question_of(as_("duty"), asking)
    path = f"/playbooks/questions/{number}/approval"
    starter = post(as_("responder"), path, {"choice": "yes", "digest": digest})
    assert starter.status_code == 403
    assert "somebody else has to agree" in as_("responder").get(f"/playbooks/questions/{number}").text
    assert post(as_("analyst"), path, {"choice": "yes", "digest": digest}).status_code == 403
    assert post(as_("duty"), path, {"choice": "perhaps", "digest": digest}).status_code == 400
    assert post(as_("duty"), path, {"choice": "yes", "digest": "0" * 64}).status_code == 409
    refused = post(as_("duty"), path, {"choice": "no", "digest": digest})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    agreed = post(
        as_("duty"), path, {"choice": "yes", "digest": digest, "comment": "verified", "next": f"/playbooks/runs/{asking}"}
    )
    assert agreed.location == f"/playbooks/runs/{asking}?done=question"
    assert "1 of 2 agreed" in as_("duty").get(f"/playbooks/runs/{asking}").text
    assert post(as_("duty"), path, {"choice": "yes", "digest": digest}).status_code == 409
    assert post(as_("leader"), path, {"choice": "yes", "digest": digest}).status_code == 302
    go_on(filled.database, asking, "finished")
    story = as_("leader").get(f"/playbooks/runs/{asking}").text
    assert "the.duty" in story
    assert "verified" in story
    assert post(as_("leader"), path, {"choice": "yes", "digest": digest}).status_code == 409


def test_a_task_is_answered_with_values(filled: Services, as_: Open) -> None:
    asking = run(filled.database, question(), {"__ip__": "203.0.113.7"})
    number, _digest = question_of(as_("analyst"), asking)
    path = f"/playbooks/questions/{number}/answer"
    assert post(as_("leader"), path, {"choice": "done"}).status_code == 403
    away = post(as_("analyst"), path, {"choice": "done", "value.__found__": EVIL, "next": "https://evil.example/"})
    assert away.location.startswith("/")
    go_on(filled.database, asking, "finished")
    page = as_("analyst").get(f"/playbooks/runs/{asking}").text
    assert html.escape(EVIL, quote=False)[:20] in html.unescape(page) or "&lt;script&gt;" in page
    assert "done" in page


def test_the_queue_shows_what_one_can_answer_first(as_: Open, runs: dict[str, int]) -> None:
    page = as_("analyst").get("/playbooks/questions").text
    assert page.index("It is done") < page.index("Your role cannot answer this")
    assert "It is done" not in as_("analyst").get("/playbooks/questions?kind=approval").text
    told = as_("duty").get("/playbooks/questions/new?after=0").get_json()
    assert told["count"] >= 2
    assert as_("duty").get("/playbooks/questions/99999").status_code == 404


def test_a_forged_link_is_told(filled: Services, as_: Open, runs: dict[str, int]) -> None:
    number, digest = question_of(as_("duty"), runs["approval"])
    key = filled.master_key
    assert key is not None
    path, warning = f"/playbooks/questions/{number}", "not one that this platform made"
    assert warning in as_("duty").get(f"{path}?seal=forged").text
    genuine = sealed_link(key, int(number), digest)
    assert warning not in as_("duty").get(path, query_string={"seal": genuine}).text
    assert warning in as_("duty").get(path, query_string={"seal": sealed_link(key, int(number), "0" * 64)}).text


def test_cancelling_and_taking_back(filled: Services, as_: Open) -> None:
    asking = run(filled.database, question(), {"__ip__": "203.0.113.7"})
    path = f"/playbooks/runs/{asking}"
    assert post(as_("leader"), f"{path}/cancel", {"reason": "x"}).status_code == 403
    assert post(as_("analyst"), f"{path}/cancel", {"reason": ""}).status_code == 422
    assert post(as_("analyst"), f"{path}/undo", {}).status_code == 409
    assert post(as_("analyst"), f"{path}/cancel", {"reason": "false alarm <b>"}).status_code == 302
    go_on(filled.database, asking, "cancelled")
    assert "false alarm &lt;b&gt;" in as_("analyst").get(path).text
    assert post(as_("analyst"), f"{path}/cancel", {"reason": "x"}).status_code == 409
    assert post(as_("analyst"), f"{path}/undo", {}).status_code == 302
    go_on(filled.database, asking, "undone")


def test_what_an_undo_could_not_take_back_is_settled_by_hand(filled: Services, as_: Open) -> None:
    number = failed_undo(filled.database)
    path = f"/playbooks/runs/{number}"
    page = as_("analyst").get(path).text
    assert "Not taken back" in page
    assert "<script>alert(1)" not in page
    assert "未撤销" in as_("analyst", "zh").get(path).text
    visit = re.search(r'name="visit" value="(\d+)"', page)
    assert visit is not None
    assert 'name="visit"' not in as_("leader").get(path).text
    form = {"visit": visit[1], "comment": f"{EVIL} closed by hand"}
    assert post(as_("leader"), f"{path}/settle", form).status_code == 403
    assert post(as_("zone"), f"{path}/settle", form, page="/account").status_code in (403, 404)
    for wrong, status in (({"comment": " "}, 422), ({"visit": "999"}, 404), ({"visit": "1;--"}, 404), ({"visit": "9" * 40}, 404)):
        assert post(as_("analyst"), f"{path}/settle", form | wrong).status_code == status
    assert post(as_("analyst"), f"{path}/settle", form).location == f"{path}?done=run_settled"
    assert post(as_("analyst"), f"{path}/settle", form).status_code == 409
    go_on(filled.database, number, "undone")
    story = as_("leader").get(path).text
    assert "taken back by hand" in story
    assert "closed by hand" in story
    assert "the.analyst" in story
    assert "At least in part by hand" in story
    assert "<script>alert(1)" not in story
    assert "至少部分由人工撤销" in as_("analyst", "zh").get("/playbooks/runs?state=undone").text
    assert post(as_("analyst"), f"{path}/settle", form).status_code == 404


def test_the_shelf_and_its_filters(as_: Open) -> None:
    browser = as_("analyst")
    page = browser.get("/playbooks").text
    assert "Ransomware" in page
    assert "勒索软件处置" in as_("analyst", "zh").get("/playbooks").text
    assert "Ransomware" in browser.get("/playbooks?q=RANSOM").text
    assert "Ransomware" not in browser.get("/playbooks?label=ot").text
    assert TASK in browser.get("/playbooks?state=draft").text
    assert "No playbook matches" in browser.get("/playbooks?q=%25%25nothing").text
    assert browser.get("/playbooks?cursor=x").status_code == 422
    assert browser.get("/playbooks/playbook--none").status_code == 404
    assert "New playbook" not in page


def test_a_start_is_filled_in_and_happens_once(filled: Services, as_: Open) -> None:
    browser = as_("analyst")
    chosen = browser.get("/playbooks/start?kind=alert&id=1").text
    assert f"/playbooks/{DRILL}/start?kind=alert&amp;id=1" in chosen
    path = f"/playbooks/{DRILL}/start?kind=alert&id=1"
    form = browser.get(path).text
    assert re.search(r'name="value.__alert_id__" value="1"', form)
    key = re.search(r'name="key" value="([0-9a-f]{32})"', form)
    assert key is not None
    values = {"key": key[1], "kind": "alert", "id": "1", "value.__scenario__": "勒索", "value.__alert_id__": "1"}
    started = [post(browser, path, values).location for _ in range(2)]
    assert started[0] == started[1]
    number = int(re.findall(r"/runs/(\d+)", started[0])[0])
    with filled.database.read() as session:
        detail = listing.get_run(session, number)
    assert (detail.run.cause, detail.run.created_by, detail.run.state) == ({"kind": "alert", "id": 1}, "the.analyst", "queued")
    assert detail.variables["__scenario__"] == "勒索"
    wrong = post(browser, path, {"value.__alert_id__": "seven", "value.__scenario__": "kept"})
    assert wrong.status_code == 422
    assert 'value="kept"' in wrong.text
    assert browser.get(f"/playbooks/{DRILL}/start?kind=alert&id=999").status_code == 404
    assert browser.get(f"/playbooks/{DRILL}/start?kind=alert&id=%3Cb%3E").status_code == 422
    assert post(browser, f"/playbooks/{TASK}/start", {}).status_code == 409
    assert as_("leader").get("/playbooks/start").status_code == 403


def test_a_start_says_what_is_needed(as_: Open) -> None:
    browser, block = as_("analyst"), next(one.id for one in load() if one.name == "封禁网络地址")
    form = browser.get(f"/playbooks/{block}/start").text
    needed = re.findall(r'<input[^>]*name="value\.(\w+)"[^>]*required>', form)
    assert needed == ["__address__"]
    refused = post(browser, f"/playbooks/{block}/start", {"value.__matter__": "kept"})
    assert (refused.status_code, 'value="kept"' in refused.text) == (422, True)
    assert "cannot do without a value for “address”" in refused.text


def test_what_was_told_wrongly_can_be_emptied(filled: Services, as_: Open) -> None:
    called = tuple(shipped(name) for name in ("isolate-host", "secure-evidence", "contain-address", "close-out"))
    run_id = run(filled.database, shipped("endpoint-malware"), {"__host__": "pc-17", "__address__": "10.1.2.3"}, called=called)
    browser = as_("analyst")
    number = int(re.findall(r"/playbooks/questions/(\d+)", browser.get(f"/playbooks/runs/{run_id}").text)[0])
    values = {
        "choice": "done",
        "value.__host__": "pc-17",
        "value.__address__": "",
        "value.__removed__": "true",
        "value.__sha256__": "",
    }
    assert post(browser, f"/playbooks/questions/{number}/answer", values).status_code == 302
    with filled.database.write() as session:
        steering.cancel(session, RESPONDER, run_id, "enough")
    go_on(filled.database, run_id, "cancelled")
    with filled.database.read() as session:
        answered = [line.event.variables for line in journal.lines(session, run_id) if isinstance(line.event, Ended)]
        asked = questions.question(session, number)
    assert {"__host__": "pc-17", "__address__": None, "__removed__": "true"} in answered
    assert asked.answers[0].decided == ("__address__",)


def test_a_question_shows_what_was_told_and_lets_it_be_corrected(filled: Services, as_: Open) -> None:
    called = tuple(shipped(name) for name in ("isolate-host", "secure-evidence", "contain-address", "close-out"))
    run_id = run(filled.database, shipped("endpoint-malware"), {"__host__": "pc-17"}, called=called)
    browser = as_("analyst")
    page = browser.get(f"/playbooks/runs/{run_id}").text
    assert 'name="value.__host__" value="pc-17"' in page
    assert 'name="value.__address__" value=""' in page
    assert "(not known)" in page or "（未知）" in page
    number = int(re.findall(r"/playbooks/questions/(\d+)", page)[0])
    values = {"choice": "done", "value.__host__": "pc-18", "value.__removed__": "true", "value.__spread__": "false"}
    assert post(browser, f"/playbooks/questions/{number}/answer", values).status_code == 302
    with filled.database.write() as session:
        steering.cancel(session, RESPONDER, run_id, "enough")
    go_on(filled.database, run_id, "cancelled")
    with filled.database.read() as session:
        answered = [line.event.variables for line in journal.lines(session, run_id) if isinstance(line.event, Ended)]
    assert {"__host__": "pc-18", "__removed__": "true", "__spread__": "false"} in answered


def test_a_version_from_the_editor_into_force(filled: Services, as_: Open) -> None:
    writer, releaser = as_("responder"), as_("duty")
    text = re.search(r'<textarea[^>]*name="document"[^>]*>(.*?)</textarea>', writer.get("/playbooks/new").text, re.DOTALL)
    assert text is not None
    made = json.loads(html.unescape(text[1]))
    made["name"] = f"{EVIL} mine"
    document = json.dumps(made)
    checked = post(writer, "/playbooks/check", {"document": document})
    assert "it can run" in checked.text
    assert "it cannot run yet" in post(writer, "/playbooks/check", {"document": "{"}).text
    saved = post(writer, "/playbooks/save", {"document": document, "base": "0", "note": "first"})
    assert "version=1" in saved.location
    path = f"/playbooks/{made['id']}"
    page = writer.get(saved.location).text
    assert "Nothing in force" in page
    assert post(writer, "/playbooks/save", {"document": document, "base": "0"}).status_code == 409
    broken = {**made, "workflow_start": "start--none"}
    refused = post(writer, "/playbooks/save", {"document": json.dumps(broken), "base": "1"})
    assert refused.status_code == 422
    assert "workflow_start" in refused.text
    draft = post(writer, "/playbooks/save", {"document": json.dumps(broken), "base": "1", "draft": "1"})
    assert "version=2" in draft.location
    with filled.database.read() as session:
        revision = str(service.get(session, made["id"]).revision)
    assert post(writer, f"{path}/release", {"number": "1", "revision": revision}).status_code == 403
    assert post(releaser, f"{path}/release", {"number": "1", "revision": "1"}).status_code == 409
    assert post(releaser, f"{path}/release", {"number": "2", "revision": revision}).status_code == 422
    assert post(releaser, f"{path}/release", {"number": "1", "revision": revision}).status_code == 302
    with filled.database.read() as session:
        assert service.get(session, made["id"]).released == 1
        revision = str(service.get(session, made["id"]).revision)
    changes = writer.get(f"{path}/difference?old=1&new=2").text
    assert "workflow_start" in changes
    assert "start--none" in changes
    off = post(writer, f"{path}/switch", {"enabled": "off", "revision": revision})
    assert off.status_code == 302
    assert "Switched off" in writer.get(path).text
    assert post(as_("analyst"), f"{path}/switch", {"enabled": "on", "revision": "9"}).status_code == 403


def test_importing_and_exporting(as_: Open) -> None:
    writer = as_("responder")
    body = octets(document(id=f"playbook--{uuid(500)}"))
    assert post(writer, "/playbooks/import", {"document": body.decode()}).status_code == 302
    path = f"/playbooks/playbook--{uuid(500)}"
    exported = writer.get(f"{path}/export?version=1")
    assert exported.data == body
    assert "attachment" in exported.headers["Content-Disposition"]
    secret = document(id=f"playbook--{uuid(501)}")
    secret["authentication_info_definitions"][next(iter(secret["authentication_info_definitions"]))] = {
        "type": "http-basic", "username": "x", "password": "hunter2hunter2",
    }  # fmt: skip
    refused = post(writer, "/playbooks/import", {"document": octets(secret).decode(), "draft": "1"})
    assert refused.status_code == 422
    for wrong in ("", "[]", "{", '{"type": "bundle"}', "\ud800"):
        assert post(writer, "/playbooks/import", {"document": wrong.encode("utf-8", "surrogatepass")}).status_code == 422
    assert writer.get(f"{path}?version=7").status_code == 404
    assert writer.get(f"{path}/difference?old=1&new=9").status_code == 404
    assert writer.get(f"{path}/export?version=999999999999999999999").status_code == 200


@pytest.mark.parametrize(
    "path", ["/playbooks", "/playbooks/runs", "/playbooks/questions", "/playbooks/statistics", f"/playbooks/{DRILL}"]
)
def test_who_may_read(as_: Open, path: str) -> None:
    assert as_("leader").get(path).status_code == 200
    assert as_("zone").get(path).status_code == 403


def test_without_the_token_of_a_page_nothing_happens(as_: Open, runs: dict[str, int]) -> None:
    browser = as_("analyst")
    for path in (f"/playbooks/runs/{runs['evil']}/cancel", f"/playbooks/{DRILL}/start", "/playbooks/save"):
        assert browser.post(path, data={"reason": "x"}).status_code == 400


def test_a_very_long_run_shows_its_end(filled: Services, as_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soc_ui.playbooks.run_page.MOST_LINES", 2)
    done = run(filled.database, ticket(), {"__ip__": "203.0.113.7"})
    with filled.database.read() as session:
        assert len(journal.lines(session, done)) == 3
    page = as_("analyst").get(f"/playbooks/runs/{done}")
    assert "The first 1 events are not shown" in page.text
    assert FIRST not in page.text


def test_statistics(filled: Services, as_: Open, runs: dict[str, int]) -> None:
    page = as_("leader").get("/playbooks/statistics").text
    assert "Brute force" in page
    assert re.search(r'<rect class="good"', page)
    assert "<script>alert(1)" not in page
    shelf = ticket(id=f"playbook--{uuid(700)}", labels=["by-hand:45m"], name="saves time")
    with filled.database.write() as session:
        service.save(session, EDITOR, shelf)
    run(filled.database, shelf, {"__ip__": "203.0.113.7"})
    assert "45 min 0 s" in as_("leader").get("/playbooks/statistics").text


def test_steps_are_edited_by_a_form(as_: Open) -> None:
    writer = as_("responder")
    page = writer.get("/playbooks/new").text
    text = re.search(r'<textarea[^>]*name="document"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert text is not None
    made = json.loads(html.unescape(text[1]))
    task = next(key for key, step in made["workflow"].items() if step["type"] == "action")

    def act(given: dict[str, Any], name: str, **more: str) -> tuple[int, dict[str, Any], str]:
        sent = {"document": json.dumps(given), "base": "0", "act": name, "shown": task, "step": task} | more
        answer = post(writer, "/playbooks/step", sent)
        found = re.search(r'<textarea[^>]*name="document"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
        assert found is not None
        return answer.status_code, json.loads(html.unescape(found[1]) or "null"), answer.text

    status, changed, page = act(made, "apply", **{"step.name": EVIL, "step.command": f"{EVIL} __matter__:value"})
    assert (status, changed["workflow"][task]["name"]) == (200, EVIL)
    assert "<script>alert(1)" not in page
    status, added, page = act(changed, "add", kind="parallel")
    assert (status, len(added["workflow"])) == (200, len(made["workflow"]) + 5)
    assert "it can run" in page
    new = added["workflow"][task]["on_completion"]
    assert f'<option value="{new}" selected>' in page
    status, removed, _page = act(added, "remove", shown=new)
    assert (status, removed["workflow"]) == (200, changed["workflow"])
    assert act(made, "open", step=made["workflow_start"])[0] == 200
    assert act(made, "remove", shown=made["workflow_start"])[0] == 422
    assert act(made, "add", kind="moon")[0] == 422
    assert act(made, "apply", **{"way.on_completion": "action--none"})[0] == 422
    for wrong in ("{", "[]", "7"):
        assert post(writer, "/playbooks/step", {"document": wrong, "act": "apply", "shown": "x"}).status_code == 422


def test_switches_and_called_playbooks_are_edited_by_the_form(as_: Open) -> None:
    writer = as_("responder")
    page = writer.get("/playbooks/new").text
    made = _document_in(page)
    task = next(key for key, step in made["workflow"].items() if step["type"] == "action")

    def act(given: dict[str, Any], name: str, shown: str, **more: Any) -> tuple[int, dict[str, Any], str]:
        sent = {"document": json.dumps(given), "base": "0", "act": name, "shown": shown, "step": shown} | more
        answer = post(writer, "/playbooks/step", sent)
        return answer.status_code, _document_in(answer.text), answer.text

    _status, made, page = act(made, "add", task, kind="switch-condition")
    switch = made["workflow"][task]["on_completion"]
    assert 'id="step-problems"' in page
    assert 'name="case.1.value"' in page
    default = made["workflow"][switch]["cases"]["default"]
    rows = {"cases": "2", "case.0.value": "default", "case.0.to": default, "case.1.value": EVIL, "case.1.to": "+"}
    _status, made, page = act(made, "apply", switch, **rows, **{"step.switch": "__matter__:value"})
    assert list(made["workflow"][switch]["cases"]) == ["default", EVIL]
    assert '<option value="__matter__:value" selected>' in page
    assert 'id="step-problems"' not in page
    assert "<script>alert(1)" not in page
    assert "it can run" in page
    status, _same, page = act(made, "apply", switch, **(rows | {"case.1.value": "default"}))
    assert status == 422
    assert "There are two cases for" in page

    _status, made, page = act(made, "add", task, kind="playbook-action")
    called = made["workflow"][task]["on_completion"]
    assert made["workflow"][called]["on_completion"] == switch
    assert f'<option value="{DRILL}">' in page
    assert 'id="step-problems"' in page
    given = {"names": "1", "in_args": ["__matter__"], "step.playbook_id": DRILL, "step.playbook_version": "2020-01-01T00:00:00Z"}
    _status, made, page = act(made, "apply", called, **given)
    assert made["workflow"][called]["playbook_id"] == DRILL
    assert made["workflow"][called]["in_args"] == ["__matter__"]
    assert "is not known" in page[page.index('id="step-problems"') :]
    _status, made, page = act(made, "apply", called, **(given | {"step.playbook_version": ""}))
    assert 'id="step-problems"' not in page
    assert f'<option value="{DRILL}" selected>' in page
    _status, made, page = act(made, "apply", called, **(given | {"step.playbook_id": "playbook--none"}))
    assert '<option value="playbook--none" selected>' in page
    assert "is no identifier of a playbook" in page[page.index('id="step-problems"') :]


def _document_in(page: str) -> dict[str, Any]:
    found = re.search(r'<textarea[^>]*name="document"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = json.loads(html.unescape(found[1]))
    return read


def test_a_question_is_asked_in_the_language_of_the_page(filled: Services, as_: Open) -> None:
    number = run(filled.database, shipped("drill"), {"__scenario__": "a__ready__:value <b>勒索</b>"})
    with filled.database.read() as session:
        (asked,) = questions.of_run(session, number)
    assert set(asked.words) == {"zh", "en"}
    assert asked.words["zh"].text == asked.request["command"]["command"]
    assert "words" not in asked.request
    for path in (f"/playbooks/runs/{number}", f"/playbooks/questions/{asked.id}"):
        english, chinese = as_("analyst", "en").get(path).text, as_("analyst", "zh").get(path).text
        assert "safety of “a__ready__:value &lt;b&gt;勒索&lt;/b&gt;”; enter the number of injects." in english
        assert "确认演练“a__ready__:value &lt;b&gt;勒索&lt;/b&gt;”的范围" in chinese
        assert "确认演练“" not in english.partition('class="sent exactly"')[2].partition("</pre>")[0]
    assert "Confirm the plan" in as_("analyst", "en").get(f"/playbooks/questions/{asked.id}").text


def test_a_question_of_one_language_is_asked_in_it(filled: Services, as_: Open, runs: dict[str, int]) -> None:
    with filled.database.read() as session:
        (asked,) = questions.of_run(session, runs["evil"])
    assert asked.words == {}
    assert 'class="sent exactly"' in as_("analyst", "en").get(f"/playbooks/questions/{asked.id}").text
