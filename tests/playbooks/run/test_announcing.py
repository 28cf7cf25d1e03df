"""What a run asks of people reaches the webhook targets, once, with a link that can be told from others."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from sqlalchemy import select

from crypto.secret import MasterKey
from operations.audit.schema import SYSTEM
from operations.webhooks import service as webhooks
from operations.webhooks.channels.contract import Destination, Item
from operations.webhooks.channels.text import message_text
from operations.webhooks.models import WebhookDelivery
from playbooks.actions.registry import standard
from playbooks.run.announcing import EVENT, QuestionAnnouncer, is_genuine
from playbooks.run.executor import Executor
from playbooks.run.journal import Wanted
from tests.playbooks.run.target import running_target
from tests.playbooks.run.test_approvals import DUTY, LOOPBACK, QUICK, agree, asked, needs, one, state
from tests.state_database import migrated

KEY = MasterKey(b"0123456789abcdef")


@pytest.mark.parametrize("origin", ["https://soc.example.cn/", ""])
def test_a_question_is_told_once_with_a_genuine_link(tmp_path: Path, origin: str) -> None:
    database = migrated(f"sqlite:///{tmp_path}/state.db")
    with database.write() as session:
        webhooks.create_target(session, SYSTEM, KEY, name="soc", url="https://hooks.example.cn/x", min_level="medium")
    tell = QuestionAnnouncer(KEY, origin)
    with running_target() as target:
        with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1), tell=tell) as executor:
            run_id = executor.submit(one(target))
            question = asked(database, run_id)
        agree(database, DUTY, question)
        with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1), tell=tell):  # who goes on with it asks nobody anew
            assert state(database, run_id) == "finished"
    with database.read() as session:
        (body,) = session.execute(select(WebhookDelivery.body).where(WebhookDelivery.event_type == EVENT)).scalars()
    told = orjson.loads(body)["data"]
    assert (told["question_id"], told["run_id"], told["digest"], told["number"]) == (question.id, run_id, question.digest, 1)
    link = urlsplit(told["link"])
    assert (link.netloc, link.path) == (urlsplit(origin).netloc, f"/playbooks/questions/{question.id}")
    (seal,) = parse_qs(link.query)["seal"]
    assert is_genuine(KEY, seal, question.id, question.digest)
    assert not is_genuine(KEY, seal, question.id + 1, question.digest)
    assert not is_genuine(KEY, seal, question.id, "0" * 64)
    assert not is_genuine(MasterKey(b"fedcba9876543210"), seal, question.id, question.digest)
    assert not is_genuine(KEY, "made up", question.id, question.digest)


def test_a_question_is_told_in_every_language_of_its_playbook(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path}/state.db")
    with database.write() as session:
        webhooks.create_target(session, SYSTEM, KEY, name="soc", url="https://hooks.example.cn/x", min_level="medium")
    drill = files("playbooks.library").joinpath("drill.json").read_bytes()
    wanted = Wanted(body=drill, variables={"__scenario__": "勒索"}, by="xu.fang", cause={"kind": "cli"})
    with Executor(database, standard(LOOPBACK), QUICK, tell=QuestionAnnouncer(KEY, "https://soc.example.cn")) as executor:
        asked(database, executor.submit(wanted))
    with database.read() as session:
        (body,) = session.execute(select(WebhookDelivery.body).where(WebhookDelivery.event_type == EVENT)).scalars()
    item = Item(0, "msg_1", EVENT, body.encode())
    for language, title, text in (("en", "Confirm the plan", "safety of “勒索”"), ("zh", "确认演练方案", "确认演练“勒索”的范围")):
        said = message_text([item], Destination("", "", {"language": language}))
        assert title in said.splitlines()[0]
        assert text in said
        assert f"https://soc.example.cn/playbooks/questions/{orjson.loads(body)['data']['question_id']}?seal=" in said
