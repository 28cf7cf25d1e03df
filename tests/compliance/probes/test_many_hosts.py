"""Twenty hosts through a real sshd: as many at a time as was asked for, and hosts that are not well stop no other one's probes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from compliance.probes.registry import of_source
from compliance.probes.run import Progress, run
from tests.compliance.probes.terrace import NOBODY, SILENT, Terrace, terrace
from tests.playbooks.actions.street import available

HOSTS, WORKERS = 20, 4
PROBES = [one for one in of_source("linux") if one.id.startswith("host.sshd_config")]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not available("sshd", "ssh", "unshare"), reason="needs root, iproute2 and openssh-server"),
]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    with terrace(tmp_path_factory.mktemp("terrace") / "house", HOSTS) as made:
        yield made


def test_no_more_at_a_time_than_asked_for_and_who_is_not_well_stops_nobody(hosts: Terrace) -> None:
    told: list[Progress] = []
    with hosts.inside():
        targets = [hosts.target(name) for name in hosts.names]
        silent, gone = hosts.target(hosts.names[3], SILENT), hosts.target(hosts.names[5], NOBODY)
        targets[2:2], targets[9:9] = [silent], [gone]
        begun = time.monotonic()
        results = list(run(targets, PROBES, workers=WORKERS, seconds=6, progress=told.append))
    assert time.monotonic() - begun < 40
    assert len(results) == (HOSTS + 2) * len(PROBES), "each host has all its results"
    unwell = {one.target: one.reason for one in results if one.outcome == "error"}
    assert set(unwell) == {silent.name, gone.name}, unwell
    assert "too long" in unwell[silent.name]
    assert "refused" in unwell[gone.name]
    seen = hosts.sessions()
    assert (seen.number, seen.addresses) == (HOSTS, HOSTS)
    assert 2 <= seen.most <= WORKERS
    assert [one.done for one in told] == list(range(1, HOSTS + 3))
    assert {one.total for one in told} == {HOSTS + 2}
    assert {one.target for one in told} == {one.name for one in targets}
    place = [one.target for one in told].index(silent.name)
    assert place >= WORKERS, "others are read while it says nothing"


def test_one_at_a_time_is_one_at_a_time(hosts: Terrace) -> None:
    before = hosts.sessions().number
    with hosts.inside():
        list(run([hosts.target(name) for name in hosts.names[:4]], PROBES, workers=1))
    seen = hosts.sessions(before)
    assert (seen.number, seen.most) == (4, 1)
