"""Reports of other tools: what their own outputs come to, what is refused, and that no file is too strange to be refused."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import hostile_xml
from compliance.catalogue import load
from compliance.importers import arf, lynis, nessus, wazuh
from compliance.importers.contract import Report, ReportError, Tool, ToolResult, of_target
from compliance.importers.mapping import items_of, mapping
from compliance.importers.moments import seconds, written
from compliance.importers.taking import READERS, take
from compliance.probes.findings import findings
from crypto.sm3 import sm3

REPORTS = Path(__file__).with_name("reports")
FILES: dict[Tool, str] = {
    "arf": "openscap-arf.xml", "lynis": "lynis-report.dat", "nessus": "two-hosts.nessus", "wazuh": "wazuh-checks.json",
}  # fmt: skip


def _octets(tool: Tool) -> bytes:
    return (REPORTS / FILES[tool]).read_bytes()


def test_openscap() -> None:
    """Counted with grep on the file."""
    report = arf.read(_octets("arf"))
    assert report.tool == "openscap 1.3.7"
    assert Counter(one.said for one in report.results) == {"pass": 22, "fail": 28, "none": 3}
    assert {one.target for one in report.results} == {"water-1"}
    root = next(one for one in report.results if one.rule == "sshd_disable_root_login")
    assert (root.said, root.at) == ("fail", "2026-11-28T06:17:30.000000Z")
    assert root.excerpt.startswith("<rule-result idref=")
    assert root.excerpt.endswith("</rule-result>")
    assert root.excerpt.encode() in _octets("arf"), "as it stands in the report"
    made = {one.item_id: one for one in findings(take("arf", _octets("arf"))[0], 7)}
    assert (made["8.1.4.2.b"].verdict, made["8.1.4.2.b"].object_id) == ("not_met", 7)
    assert made["8.1.4.2.d"].verdict == "met"
    assert "sshd_disable_root_login" in made["8.1.4.2.b"].reason


def test_xccdf_alone_in_the_older_version() -> None:
    text = (
        '<cdf:Benchmark xmlns:cdf="http://checklists.nist.gov/xccdf/1.1"><cdf:TestResult id="t" end-time="2026-01-02T03:04:05">'
        '<cdf:target>a</cdf:target><cdf:rule-result idref="no_empty_passwords"><cdf:result>fixed</cdf:result></cdf:rule-result>'
        "</cdf:TestResult></cdf:Benchmark>"
    )
    for octets in (text.encode(), ('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16")):
        (one,) = arf.read(octets).results
        assert (one.rule, one.said, one.target, one.at) == ("no_empty_passwords", "pass", "a", ""), "no zone, no moment"
        assert one.excerpt in text
        assert one.excerpt.endswith("</cdf:rule-result>")


def test_lynis() -> None:
    report = lynis.read(_octets("lynis"))
    assert report.tool == "lynis 3.0.8"
    by_test = {one.rule: one for one in report.results}
    assert by_test["PKGS-7392"].said == "fail"
    assert by_test["PKGS-7392"].excerpt.splitlines()[0] == "warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|"
    assert by_test["AUTH-9286"].excerpt.count("suggestion[]=AUTH-9286|") == 2
    assert by_test["AUTH-9286"].said == "weak"
    made = {one.item_id: one.verdict for one in findings(take("lynis", _octets("lynis"))[0], None)}
    assert (made["8.1.4.4.e"], made["8.1.4.3.a"], made["8.1.4.4.a"]) == ("not_met", "partly", "met")
    assert "8.1.4.4.c" not in made, "that nothing is said of the packet filter tells nothing"
    with pytest.raises(ReportError, match="to its end"):
        lynis.read(_octets("lynis").replace(b"tests_executed", b"x"))


def test_nessus() -> None:
    results, counts = take("nessus", _octets("nessus"), "10.1.0.8")
    assert (counts.results, counts.mapped, counts.unmapped, counts.without) == (6, 4, 1, 1)
    assert {one.outcome for one in results if one.items == ("8.1.4.4.e",)} == {"not_met", "partly"}
    made = {one.item_id: one for one in findings(results, 3)}
    assert {item: one.verdict for item, one in made.items()} == {"8.1.4.2.b": "not_met", "8.1.4.3.d": "met", "8.1.4.4.e": "partly"}
    assert "CVE-2017-0144" in next(one.evidence for one in results if "97833" in one.reason)
    assert made["8.1.4.4.e"].at == "2027-01-15T08:00:00.000000Z"
    small = next(one for one in results if "70658" in one.reason)
    assert small.evidence.endswith('pluginFamily="Misc."/>'), "an element without content"
    assert "Mi-Ma" not in json.dumps([one.evidence for one in results])
    clean = findings(take("nessus", _octets("nessus"), "10.1.0.9")[0], 4)
    assert [(one.item_id, one.verdict) for one in clean] == [("8.1.4.4.e", "met")]
    blind = _octets("nessus").replace(b"true</tag>\n</HostP", b"false</tag>\n</HostP")
    assert take("nessus", blind, "10.1.0.9")[0] == [], "a scan that could not log in has seen little"


def test_wazuh() -> None:
    results, counts = take("wazuh", _octets("wazuh"))
    assert (counts.results, counts.mapped, counts.unmapped, counts.without) == (5, 3, 1, 1)
    made = {one.item_id: one.verdict for one in findings(results, 1)}
    assert made == {"8.1.4.2.b": "not_met", "8.1.4.3.a": "met", "8.1.4.3.b": "not_applicable"}
    assert json.loads(next(one.evidence for one in results if "33000" in one.probe))["compliance"][0] == {
        "key": "cis",
        "value": "5.2.7",
    }
    whole = json.loads(_octets("wazuh"))
    items = whole["data"]["affected_items"]
    pages = [{"data": {"affected_items": part, "total_affected_items": 5}} for part in (items[:3], items[3:])]
    assert take("wazuh", json.dumps(pages).encode())[1] == counts
    with pytest.raises(ReportError, match="3 of 5"):
        take("wazuh", json.dumps(pages[0]).encode())


@pytest.mark.parametrize("tool", FILES)
def test_each_result_has_its_excerpt_with_its_seal(tool: Tool) -> None:
    target = "10.1.0.8" if tool == "nessus" else None
    results, _ = take(tool, _octets(tool), target)
    assert results
    for one in results:
        assert one.evidence
        assert one.sm3 == sm3(one.evidence.encode()).hex()
        assert one.to_be_confirmed
        assert one.items


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("octets", [b"", b"{}", b"<a/>", b"\xff\xfe\x00", b"[" * 10_000, b"a=b\n", b"<Benchmark/>", b"[]"])
def test_other_files_are_refused(tool: Tool, octets: bytes) -> None:
    with pytest.raises(ReportError):
        take(tool, octets)


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><Benchmark>&a9;</Benchmark>'.encode()


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (_laughs(), "document type"),
        (b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Benchmark>&f;</Benchmark>', "document type"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><Benchmark/>', "document type"),
        (b"<Benchmark>" + b"<a>" * 500, "too deep"),
        (b"<Benchmark><TestResult>" + b"<rule-result>" + b"<a/>" * 6_000, "holds more than"),
        (b"<Benchmark><TestResult><rule-result>" + b"x" * (2 << 20), "longer than"),
        (b"<Benchmark>&nbsp;</Benchmark>", "no XML"),
        (b"<Benchmark><TestResult>", "no XML"),
        (b"<Benchmark><TestResult><rule-result><result>maybe</result></rule-result></TestResult></Benchmark>", "maybe"),
    ],
)
def test_hostile_xml_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        arf.read(octets)


def test_a_large_report_takes_little_memory() -> None:
    import tracemalloc

    one = b'<rule-result idref="r"><result>pass</result></rule-result>'
    octets = b"<Benchmark>" + b"<Rule><title>x</title></Rule>" * 60_000 + b"<TestResult>" + one + b"</TestResult></Benchmark>"
    tracemalloc.start()
    assert len(arf.read(octets).results) == 1
    assert tracemalloc.get_traced_memory()[1] < 3 << 20
    tracemalloc.stop()


def test_one_object_is_chosen() -> None:
    report = Report("x", (ToolResult("a", "", "pass", "one", ""), ToolResult("b", "", "pass", "two\x1b", "")))
    assert of_target(report, "one").results == report.results[:1]
    with pytest.raises(ReportError, match="2 objects") as told:
        of_target(report, None)
    assert "\x1b" not in told.value.hint
    with pytest.raises(ReportError, match="not about three"):
        of_target(report, "three")


def test_the_mapping_names_clauses_of_the_catalogue() -> None:
    known = {placed.item.id for placed in load.requirements().placed()}
    whole = mapping()
    assert whole.to_be_confirmed
    for entry in (*whole.openscap, *whole.lynis, *whole.nessus, *whole.titles):
        assert set(entry.items) <= known
        assert entry.rules or entry.words
        assert all(word == word.lower() for words in entry.words for word in words)
    assert items_of("arf", ToolResult("kernel_config_bug", "", "fail", "", "")) == ()
    assert items_of("arf", ToolResult("audit_rules_immutable", "", "fail", "", "")) == ("8.1.4.3.d",)
    assert items_of("arf", ToolResult("audit_rules_time_stime", "", "fail", "", "")) == ("8.1.4.3.a",)
    assert items_of("arf", ToolResult("file_owner_etc_issue", "", "fail", "", "")) == ()
    assert items_of("lynis", ToolResult("FIRE-4590", "", "weak", "", "")) == ("8.1.4.4.c",)
    assert items_of("lynis", ToolResult("FIRE-4590", "", "pass", "", "")) == ()
    assert items_of("wazuh", ToolResult("x:1", "Ensure SSH Root Login is disabled", "fail", "", "")) == ("8.1.4.2.b",)


@pytest.mark.parametrize(
    ("title", "items"),
    [
        ("Ensure minimum password length is configured.", ("8.1.4.1.a",)),
        ("Ensure 'Minimum password length' is set to '14 or more character(s)'.", ("8.1.4.1.a",)),
        ("Ensure 'Relax minimum password length limits' is set to 'Enabled'.", ()),
        ("Ensure 'Interactive logon: Prompt user to change password before expiration' is set to 'between 5 and 14 days'.", ()),
        ("Ensure ftp server services are not in use.", ("8.1.4.1.c",)),
        ("Ensure tftp server services are not in use.", ()),
        ("Ensure permissions on /etc/shadow- are configured.", ("8.1.4.2.f",)),
        ("Ensure permissions on /etc/motd are configured.", ()),
        ("Ensure nftables default deny firewall policy.", ()),
        ("Ensure 'Windows Firewall: Public: Firewall state' is set to 'On (recommended)'.", ("8.1.4.4.c",)),
        ("Ensure system is disabled when audit logs are full.", ("8.1.4.3.c",)),
    ],
)
def test_titles_as_benchmarks_have_them(title: str, items: tuple[str, ...]) -> None:
    assert items_of("wazuh", ToolResult("x:1", title, "fail", "", "")) == items


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=400))
def test_any_octets_are_read_or_refused(tool: Tool, octets: bytes) -> None:
    with contextlib.suppress(ReportError):
        READERS[tool](octets)


@given(st.sampled_from(sorted(FILES)), st.integers(0, 30_000), st.binary(max_size=12))
def test_a_report_with_a_hole_is_read_or_refused(tool: Tool, place: int, octets: bytes) -> None:
    whole = _octets(tool)
    with contextlib.suppress(ReportError):
        take(tool, whole[: place % len(whole)] + octets + whole[place % len(whole) + 3 :])


_NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=30)


@given(st.lists(st.tuples(_NAMES, st.sampled_from(["pass", "fail", "notapplicable"])), min_size=1, max_size=10))
def test_what_is_written_is_read(rules: list[tuple[str, str]]) -> None:
    from xml.sax.saxutils import quoteattr

    inside = "".join(f"<rule-result idref={quoteattr(name)}><result>{said}</result></rule-result>" for name, said in rules)
    read = arf.read(f"<TestResult><target>h</target>{inside}</TestResult>".encode())
    words = {"pass": "pass", "fail": "fail", "notapplicable": "not_applicable"}
    assert [(one.rule, one.said) for one in read.results] == [(arf.short(name), words[said]) for name, said in rules]
    assert "".join(one.excerpt for one in read.results) == inside


@given(
    st.lists(
        st.tuples(st.sampled_from(["warning", "suggestion"]), st.from_regex(r"[A-Z]{4}-[0-9]{4}", fullmatch=True)), max_size=20
    )
)
def test_each_line_of_lynis_counts(lines: list[tuple[str, str]]) -> None:
    text = (
        "lynis_version=3\nhostname=h\n"
        + "".join(f"{kind}[]={test}|text|-|-|\n" for kind, test in lines)
        + "tests_executed=QQQQ-0|\n"
    )
    found = {one.rule: one.said for one in lynis.read(text.encode()).results}
    assert found.pop("QQQQ-0") == "pass"
    warned = {test for kind, test in lines if kind == "warning"}
    assert found == {test: "fail" if test in warned else "weak" for _, test in lines}


def test_moments() -> None:
    assert written("2026-11-28T08:00:00+08:00") == "2026-11-28T00:00:00.000000Z"
    assert [written(text) for text in ("2026-11-28T08:00:00", "", "yesterday", "0001-01-01T00:00:00+14:00")] == [""] * 4
    assert [seconds(text) for text in ("0", "-1", "x", "99999999999")] == ["1970-01-01T00:00:00.000000Z", "", "", ""]
    assert hostile_xml.DEEPEST < 1_000
    assert nessus.VULNERABILITY in mapping().nessus[0].rules
    assert wazuh.read(_octets("wazuh")).tool == "Wazuh cis_debian12"
