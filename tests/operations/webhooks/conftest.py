"""Receivers, and a bench: a database with a target that is sent to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel.db import Database
from operations.accounts.schema import Principal
from tests.operations.webhooks.bench import Bench
from tests.operations.webhooks.receivers import Authority, HttpReceiver, MailReceiver, SyslogReceiver


@pytest.fixture
def bench(database: Database, alice: Principal) -> Bench:
    return Bench(database, alice)


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    server = HttpReceiver()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def syslog(authority: Authority) -> Iterator[SyslogReceiver]:
    server = SyslogReceiver(authority)
    yield server
    server.close()


@pytest.fixture
def mail(authority: Authority) -> Iterator[MailReceiver]:
    server = MailReceiver(authority)
    yield server
    server.close()
