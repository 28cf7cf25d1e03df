"""From documents and lists of software to matches, states and warnings."""

from __future__ import annotations

import time as clocks
from typing import Any

import pytest
from sqlalchemy import insert

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.advisories import intake, listing, states
from operations.advisories.matching import AdvisoryMatcher
from operations.advisories.schema import AdvisoryFilter, Match
from operations.assets.models import AssetRow
from operations.audit.schema import Actor
from operations.errors import Denied, Invalid, NotFound, Stale
from operations.reach import SESSION_KEY
from operations.software import service as software
from operations.software.schema import Entry
from operations.warnings import service as warnings
from operations.warnings import settings
from operations.warnings.from_advisory import draft_from_advisory, draft_from_kev, open_warning
from tests.operations.advisories.documents import DEBIAN, HTTPD, KEV, LOG4J, SIEMENS, nvd, raw
from tests.operations.warnings.conftest import Clock

WHO = Principal(1, "an.quan", "", "analyst", address="192.0.2.7")
ACTOR = Actor("an.quan")


def put(database: Database, asset: str, product: str, release: str = "", **more: str) -> int:
    with database.write() as session:
        return software.add(session, ACTOR, asset, Entry(product, release=release, **more)).id


def bring(database: Database, *documents: Any) -> None:
    for document in documents:
        with database.write() as session:
            intake.take_in(session, WHO, raw(document))


def found(database: Database, key: str) -> list[tuple[str, str, str, str]]:
    AdvisoryMatcher(database)()
    return [(one.asset, one.verdict, one.reason["code"], one.state) for one in all_of(database, key)]


def all_of(database: Database, key: str) -> list[Match]:
    with database.read() as session:
        return listing.matches(session, listing.get(session, key).id)


def test_kev_alone_is_possible_and_nvd_makes_it_certain(estate: Database) -> None:
    put(estate, "web1", "httpd", "2.4.49", vendor="Apache")
    with estate.write() as session:
        done = intake.take_in(session, WHO, raw(KEV))
    assert (done.kind, done.made, [(one.where, one.why) for one in done.problems]) == (
        "kev", 2, [("vulnerabilities[2]", "cveID: 'no number' is no CVE number")])  # fmt: skip
    assert found(estate, "CVE-2021-41773") == [("web1", "possibly", "no_ranges", "open")]
    bring(estate, HTTPD)
    assert found(estate, "CVE-2021-41773") == [("web1", "affected", "in_range", "open")]
    with estate.read() as session:
        one = listing.get(session, "CVE-2021-41773")
    assert (one.kev, one.ransomware, one.cvss, one.due, one.aliases, one.sources, one.affected, one.overdue) == (
        True, True, 7.5, "2021-11-17", ["CNNVD-202110-197"], ["kev", "nvd"], 1, True)  # fmt: skip


def test_the_same_again_changes_nothing(estate: Database) -> None:
    put(estate, "web1", "log4j-core", "2.12.0", vendor="Apache")
    bring(estate, LOG4J)
    matcher = AdvisoryMatcher(estate)
    assert (matcher().made, matcher().looked) == (1, False)
    with estate.write() as session:
        assert intake.take_in(session, WHO, raw(LOG4J)).same == 1
    put(estate, "cam1", "else", "1")
    again = matcher()
    assert (again.looked, again.made, again.changed) == (True, 0, 0)


@pytest.mark.parametrize(
    ("release", "wanted"),
    [("1.9", []), ("2.3.0", ["affected"]), ("2.3.1", []), ("2.12.1", ["affected"]), ("2.17.1", []), ("", ["possibly"])],
)
def test_ranges_of_nvd(estate: Database, release: str, wanted: list[str]) -> None:
    put(estate, "web1", "Log4j2", release, vendor="Apache")
    bring(estate, LOG4J)
    assert [row[1] for row in found(estate, "CVE-2021-44228")] == wanted


def test_a_packaged_version_may_be_mended_and_dpkg_ranges_are_exact(estate: Database) -> None:
    with estate.write() as session:
        software.take_in(session, ACTOR, "dpkg", "openssl\t3.0.11-1~deb12u1\napache2\t2.4.49-1\n", asset="web1")
        software.take_in(session, ACTOR, "dpkg", "openssl\t3.0.11-1~deb12u2\n", asset="cam1")
    bring(estate, DEBIAN, HTTPD)
    assert found(estate, "CVE-2026-2000") == [("web1", "affected", "in_range", "open")]
    assert found(estate, "CVE-2021-41773") == [("web1", "possibly", "packaged", "open")]


def test_csaf_and_mended_software_becomes_fixed_and_open_again(estate: Database) -> None:
    number = put(estate, "wincc", "WinCC", "7.4", vendor="西门子")
    with estate.write() as session:
        done = intake.take_in(session, WHO, raw(SIEMENS))
    assert [one.where for one in done.problems] == ["vulnerabilities[0].product_status.first_fixed"]
    assert found(estate, "CVE-2026-1000") == [("wincc", "affected", "in_range", "open")]
    for release, state in (("7.5", "fixed"), ("7.4", "open")):
        with estate.write() as session:
            software.change(session, ACTOR, "wincc", number, Entry("WinCC", "Siemens", release))
        assert found(estate, "CVE-2026-1000")[0][3] == state
    with estate.write() as session:
        software.remove(session, ACTOR, "wincc", number)
    assert found(estate, "CVE-2026-1000") == [("wincc", "fixed", "gone", "fixed")]


def test_a_platform_that_is_not_known_makes_it_possible(estate: Database) -> None:
    put(estate, "web1", "agent", "1.0", vendor="acme")
    criteria = {"criteria": "cpe:2.3:a:acme:agent:*:*:*:*:*:*:*:*", "versionEndIncluding": "1.0"}
    bring(estate, nvd("CVE-2026-3000", criteria, platform="cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*"))
    assert found(estate, "CVE-2026-3000") == [("web1", "possibly", "condition", "open")]
    put(estate, "web1", "linux-image-6.1.0-18-amd64", "6.1.76-1", scheme="dpkg")
    assert found(estate, "CVE-2026-3000") == [("web1", "affected", "in_range", "open")]


def test_another_vendor_is_another_product(estate: Database) -> None:
    put(estate, "web1", "log4j", "2.12.0", vendor="Somebody")
    bring(estate, LOG4J)
    assert found(estate, "CVE-2021-44228") == []


def test_states_of_people(estate: Database, time: Clock) -> None:
    number = put(estate, "web1", "Log4j", "2.12.0", vendor="Apache")
    bring(estate, LOG4J)
    found(estate, "CVE-2021-44228")
    one = all_of(estate, "CVE-2021-44228")[0]

    def give(state: str, version: int | None = None, **more: str) -> Match:
        with estate.write() as session:
            return states.change(session, WHO, one.id, state, expected_version=version, **more)

    for wrong in (
        {},
        {"note": "x"},
        {"note": "x", "until": "2030-01-01T00:00:00Z"},
        {"note": "x", "until": "2020-01-01T00:00:00Z"},
    ):
        with pytest.raises(Invalid):
            give("accepted", **wrong)
    with pytest.raises(Stale):
        give("fixed", 99)
    accepted = give("accepted", one.version, note="no way to reach it", until="2026-11-27T00:00:00Z")
    assert (accepted.state, accepted.changed_by) == ("accepted", "an.quan")
    with estate.read() as session:
        assert listing.get(session, "CVE-2021-44228").affected == 0
    assert found(estate, "CVE-2021-44228")[0][3] == "accepted"
    time.move(hours=30)
    assert found(estate, "CVE-2021-44228")[0][3] == "open"
    give("false", note="not loaded")
    put(estate, "cam1", "else", "1")
    assert found(estate, "CVE-2021-44228")[0][3] == "false"
    with estate.write() as session:
        software.change(session, ACTOR, "web1", number, Entry("Log4j", "Apache", "2.12.1"))
    assert found(estate, "CVE-2021-44228")[0][3] == "open"


def test_scope(estate: Database) -> None:
    put(estate, "web1", "Log4j", "2.12.0", vendor="Apache")
    put(estate, "wincc", "Log4j", "2.12.0", vendor="Apache")
    bring(estate, LOG4J)
    AdvisoryMatcher(estate)()
    foreign = next(one for one in all_of(estate, "CVE-2021-44228") if one.asset == "web1")
    water = estate.carrying({SESSION_KEY: frozenset({"water-ot"})})
    assert [one.asset for one in all_of(water, "CVE-2021-44228")] == ["wincc"]
    with water.read() as session:
        (row,) = listing.list_advisories(session, AdvisoryFilter(affected=True)).advisories
        assert (row.affected, listing.facets(session)["flags"]["affected"]) == (1, 1)
        with pytest.raises(NotFound):
            software.of_asset(session, "web1")
    with pytest.raises(NotFound), water.write() as session:
        states.change(session, WHO, foreign.id, "fixed", expected_version=None)
    with pytest.raises(Denied), water.write() as session:
        intake.take_in(session, WHO, raw(KEV))


def test_hostile_documents(estate: Database) -> None:
    for document in (b"[" * 100_000, b"\xff\xfe", b"[]", b"{}", b'{"vulnerabilities": 1, "catalogVersion": ""}', b""):
        with pytest.raises(Invalid), estate.write() as session:
            intake.take_in(session, WHO, document)
    branch: dict[str, Any] = {"category": "vendor", "name": "x"}
    for _level in range(200):
        branch = {"category": "vendor", "name": "x", "branches": [branch]}
    odd = {
        **SIEMENS,
        "product_tree": {"branches": [branch], "relationships": [1, {}]},
        "vulnerabilities": [1, {}, {"product_status": 3}],
    }
    with estate.write() as session:
        assert "deep" in intake.take_in(session, WHO, raw(odd)).problems[0].why


def test_a_kev_entry_drafts_one_warning(estate: Database) -> None:
    put(estate, "web1", "httpd", "2.4.49", vendor="Apache")
    bring(estate, KEV)
    AdvisoryMatcher(estate)()
    assert draft_from_kev(estate) == []  # only possible: the setting wants affected ones
    bring(estate, HTTPD)
    AdvisoryMatcher(estate)()
    (number,) = draft_from_kev(estate)
    assert draft_from_kev(estate) == []
    with estate.read() as session:
        made = warnings.get(session, number)
        assert open_warning(session, "CVE-2021-41773") == number
        assert draft_from_advisory(session, "CVE-2021-41773", english=True).nature == "Vulnerability"
    assert (made.source, made.status, made.harm, made.importance, made.zones, made.objects) == (
        "advisory", "draft", "extreme", "general", ["gov-cloud"], "web1 name (web1)")  # fmt: skip


def test_the_setting_switches_it_off(estate: Database) -> None:
    put(estate, "web1", "httpd", "2.4.49", vendor="Apache")
    bring(estate, KEV, HTTPD)
    AdvisoryMatcher(estate)()
    with estate.write() as session:
        settings.change(
            session, WHO, "advisories", {"drafts": "no", "least": 1, "verdict": "affected"}, "site", False, expected_version=0
        )
    assert draft_from_kev(estate) == []


def test_many_assets_and_advisories_in_seconds(estate: Database) -> None:
    """10,000 assets with three products each, 2,000 advisories."""
    with estate.write() as session:
        texts = ("kind", "bureau", "text", "note", "first_seen", "last_seen", "changed_at", "changed_by")
        lists = ("addresses", "macs", "names", "services")
        empty = dict.fromkeys(texts, "") | dict.fromkeys(lists, "[]") | {"zone": "gov-cloud", "status": "registered"}
        empty |= {"importance": 0, "version": 1}
        session.execute(insert(AssetRow), [{"key": f"m{n}", "name": "", **empty} for n in range(10_000)])
        lines = [f"m{n},acme,tool{n % 2000},1.{n % 3}\nm{n},acme,lib{n % 50},1\nm{n},acme,other,2" for n in range(10_000)]
    for start in (0, 5_000):
        with estate.write() as session:
            software.take_in(session, ACTOR, "csv", "asset,vendor,product,version\n" + "\n".join(lines[start : start + 5_000]))
    cves = [
        nvd(f"CVE-2026-{n + 10_000}", {"criteria": f"cpe:2.3:a:acme:tool{n}:*:*:*:*:*:*:*:*", "versionEndIncluding": "1.1"})
        for n in range(2_000)
    ]
    bring(estate, {**cves[0], "vulnerabilities": [one["vulnerabilities"][0] for one in cves]})
    begun = clocks.monotonic()
    done = AdvisoryMatcher(estate)()
    assert 6_000 < done.made < 7_000
    assert clocks.monotonic() - begun < 20
