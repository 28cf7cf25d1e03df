"""A capture is dropped into a folder of a real platform → Suricata → alert → the console hands out the packets that were in it."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import select

from collectors.packet_files import open_capture, packets_of
from demo import packets as demo
from kernel.db import open_database
from operations.accounts import service as accounts
from operations.accounts import sessions
from operations.accounts.models import User
from operations.alerts.models import Alert
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from tests.soc_ui.seed import PASSWORD
from tests.system.namespaces import open_folder
from tests.system.platform import Platform, wait_until

pytestmark = [
    pytest.mark.suricata,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed"),
]
START = 1_790_000_000.0
RULE = 'alert http any any -> any any (msg:"tool fetched"; flow:to_server; http.uri; content:"/kit/"; sid:1000009;)\n'
ENDS = {4: ("10.20.0.9", "203.0.113.80"), 6: ("2001:db8:20::9", "2001:db8:ffff::80")}


def test_an_alert_gives_the_packets_that_were_sent(tmp_path: Path) -> None:
    with open_folder() as folder:
        (folder / "rules").mkdir()
        (folder / "rules" / "own.rules").write_text(RULE)
        captures = folder / "captures"
        captures.mkdir()
        config = f'[[ingest.pcap_folder]]\nid = "mirror"\npath = "{captures}"\n'
        config += f'[detect]\nown_rules = false\nrules = ["{folder}/rules"]\n'
        platform = Platform(folder / "data", config=config)
        platform.start()
        try:
            _follow(platform, captures, tmp_path)
        finally:
            platform.stop()


def _follow(platform: Platform, captures: Path, tmp_path: Path) -> None:
    sent, noise = {}, []
    for number, (family, (client, server)) in enumerate(ENDS.items()):
        sent[server] = demo.download(START + number, (client, 40_000 + family), (server, 80), "/kit/update.sh", "curl/7.88.1")
        noise += demo.download(START + number, (client, 50_000 + family), (server, 80), "/index.html", "curl/7.88.1")
    mixed = sorted([*sent[ENDS[4][1]], *sent[ENDS[6][1]], *noise], key=lambda packet: packet.time)
    part = captures / "day.part"
    part.write_bytes(demo.pcap(mixed))
    part.rename(captures / "day.pcap")
    found: dict[str, int] = {}

    def told() -> bool:
        with closing(open_database(platform.layout.state_url)) as database, database.read() as session:
            for alert in session.execute(select(Alert).where(Alert.engine == "suricata")).scalars():
                for server in sent:
                    if server in (alert.source_ip, alert.destination_ip):
                        found[server] = alert.id
        return len(found) == len(sent)

    try:
        wait_until(told, 90, "alerts of both families")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{platform.logs()}") from None
    cookie = _signed_in(platform)
    for server, packets in sent.items():
        address = f"http://127.0.0.1:{platform.console_port}/api/v1/alerts/{found[server]}/packets"
        with urlopen(Request(address, headers={"Cookie": cookie}), timeout=60) as answer:
            facts = json.load(answer)
        assert (facts["state"], facts["packets"], facts["problems"]) == ("found", len(packets), [])
        with urlopen(Request(f"{address}.pcap", headers={"Cookie": cookie}), timeout=60) as answer:
            (tmp_path / "slice").write_bytes(answer.read())
        with open_capture(tmp_path / "slice") as file:
            assert [one.data for one in packets_of(file, "slice")] == [bytes(packet) for packet in packets]
        with pytest.raises(HTTPError, match="401"):
            urlopen(Request(f"{address}.pcap"), timeout=60)
    with closing(open_database(platform.layout.state_url)) as database, database.read() as session:
        assert len(audit.listing(session, action="packets.export", limit=10).entries) == len(sent)


def _signed_in(platform: Platform) -> str:
    """The cookie of an analyst, as logging in with a second factor leaves it."""
    with closing(open_database(platform.layout.state_url)) as database:
        accounts.create_user(database, SYSTEM, "analyst.one", PASSWORD, "analyst")
        with database.write() as session:
            user = session.execute(select(User).where(User.name == "analyst.one")).scalar_one()
            token = sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")
    return f"{sessions.SESSION_COOKIE}={token}"
