"""Versions: what the rules of Debian, RPM and upstream say, and that each is an order. Real dpkg judges where there is one."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.software import dpkg, rpm
from operations.software.versions import Range, compare, inside, upstream

PARTS = st.text(alphabet="0019az.~+^-", min_size=1, max_size=10).map(lambda text: "1" + text)
DEBIAN = [
    ("1.0~rc1", "1.0", -1),
    ("1.0", "1.0-1", -1),
    ("1.0-0", "1.0", 0),
    ("1:0.9", "2.0", 1),
    ("1.2.10", "1.2.9", 1),
    ("1.0a", "1.0", 1),
    ("1.0+dfsg", "1.0a", 1),
    ("3.0.11-1~deb12u2", "3.0.11-1", -1),
    ("2.4.57-2+deb12u1", "2.4.57-2", 1),
]
RPM = [
    ("1.0~rc1", "1.0", -1),
    ("1.0^git1", "1.0", 1),
    ("1.0^git1", "1.0.1", -1),
    ("1.0.010", "1.0.10", 0),
    ("2.4.53-11.el9", "2.4.53-9.el9", 1),
    ("1:1.0-1", "2.0-1", 1),
    ("5.0a", "5.0.1", -1),
    ("1.0", "1.0a", -1),
]
GENERIC = [
    ("1.0rc1", "1.0", -1),
    ("1.0", "1.0.0", 0),
    ("v2.17.1", "2.17.1", 0),
    ("1.0.2k", "1.0.2", 1),
    ("1.0.2k", "1.0.3", -1),
    ("8.5p1", "8.5-p1", 0),
    ("2.15.0-beta2", "2.15.0-rc1", -1),
    ("10.0", "9.9", 1),
]


@pytest.mark.parametrize(("one", "other", "wanted"), DEBIAN)
def test_debian_policy(one: str, other: str, wanted: int) -> None:
    assert (dpkg.compare(one, other), dpkg.compare(other, one)) == (wanted, -wanted)


@pytest.mark.parametrize(("one", "other", "wanted"), RPM)
def test_rpmvercmp(one: str, other: str, wanted: int) -> None:
    assert (rpm.compare(one, other), rpm.compare(other, one)) == (wanted, -wanted)


@pytest.mark.parametrize(("one", "other", "wanted"), GENERIC)
def test_upstream_versions(one: str, other: str, wanted: int) -> None:
    assert (compare("generic", one, other), compare("generic", other, one)) == (wanted, -wanted)


@pytest.mark.parametrize("scheme", ["generic", "dpkg"])
@given(one=PARTS, two=PARTS, three=PARTS)
def test_each_scheme_is_an_order(scheme: str, one: str, two: str, three: str) -> None:
    assert compare(scheme, one, one) == 0
    assert compare(scheme, one, two) == -compare(scheme, two, one)
    if compare(scheme, one, two) <= 0 and compare(scheme, two, three) <= 0:
        assert compare(scheme, one, three) <= 0


@given(one=PARTS, two=PARTS)
def test_rpm_is_antisymmetric(one: str, two: str) -> None:
    assert rpm.compare(one, two) == -rpm.compare(two, one)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg here")
@settings(max_examples=60, deadline=None)
@given(
    one=st.text(alphabet="019az.~+-", max_size=8).map(lambda t: "1" + t),
    two=st.text(alphabet="019az.~+-", max_size=8).map(lambda t: "1" + t),
)
def test_dpkg_itself_agrees(one: str, two: str) -> None:
    relation = {-1: "lt", 0: "eq", 1: "gt"}[dpkg.compare(one, two)]
    asked = subprocess.run(["dpkg", "--compare-versions", one, relation, two], check=False, capture_output=True)
    if b"error" not in asked.stderr and b"warning" not in asked.stderr:
        assert asked.returncode == 0, (one, relation, two)


def test_ranges_and_the_version_of_the_maker() -> None:
    limits = Range("2.4.0", True, "2.4.52", False)
    assert [inside("generic", one, limits) for one in ("2.3.9", "2.4", "2.4.51", "2.4.52")] == [False, True, True, False]
    assert limits.text() == ">= 2.4.0, < 2.4.52"
    assert upstream("dpkg", "1:2.4.57+dfsg-2+deb12u1") == "2.4.57"
    assert upstream("rpm", "1:3.0.7-27.el9") == "3.0.7"
