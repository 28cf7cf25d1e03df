"""Lists of software: CSV, dpkg, rpm, CycloneDX."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import Invalid
from operations.software.names import keys
from operations.software.readers import FORMATS, read


def told(form: str, text: str, asset: str = "srv") -> list[tuple[str, ...]]:
    return [
        (one.asset, one.entry.vendor, one.entry.product, one.entry.release, one.entry.scheme) for one in read(form, text, asset)[0]
    ]


def test_csv_names_assets_and_says_what_is_left_out() -> None:
    text = "asset,vendor,product,version,cpe\nweb1,Apache,HTTP Server,2.4.49,\n,Apache,Tomcat,9,\n"
    text += "web2,,,,cpe:2.3:a:openssl:openssl:1.0.2k:*:*:*:*:*:*:*\nweb3,,,1,\n"
    found, problems = read("csv", text)
    assert [(one.asset, one.entry.product, one.entry.release) for one in found] == [
        ("web1", "HTTP Server", "2.4.49"),
        ("web2", "openssl", "1.0.2k"),
    ]
    assert [(one.where, one.why) for one in problems] == [("line 3", "no asset is named"), ("line 5", "product is missing")]


def test_dpkg_and_rpm() -> None:
    assert told("dpkg", "openssl\t3.0.11-1~deb12u2\nlibc6:amd64\t2.36-9\nold\t1.0\trc \n") == [
        ("srv", "", "openssl", "3.0.11-1~deb12u2", "dpkg"),
        ("srv", "", "libc6:amd64", "2.36-9", "dpkg"),
    ]
    assert told("rpm", "openssl\t(none):3.0.7-27.el9\nhttpd\t1:2.4.57-5\n") == [
        ("srv", "", "openssl", "3.0.7-27.el9", "rpm"),
        ("srv", "", "httpd", "1:2.4.57-5", "rpm"),
    ]


def test_cyclonedx() -> None:
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [
            {"type": "library", "group": "org.apache.logging.log4j", "name": "log4j-core", "version": "2.14.1",
             "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
             "components": [{"type": "application", "name": "nginx", "version": "1.20", "publisher": "F5"}]},
            {"type": "library", "name": 7}, "no component",
        ],
    }  # fmt: skip
    found, problems = read("cyclonedx", json.dumps(document), "srv")
    assert [(one.entry.vendor, one.entry.product) for one in found] == [("apache", "log4j-core"), ("F5", "nginx")]
    assert [one.where for one in problems] == ["components[1]", "components[2]"]


def test_hostile_lists() -> None:
    for text in ("[" * 100_000, "{}", '{"bomFormat": "CycloneDX", "specVersion": "9"}', "\x00"):
        with pytest.raises(Invalid):
            read("cyclonedx", text, "srv")
    deep: dict[str, object] = {"type": "library", "name": "x"}
    for _level in range(60):
        deep = {"type": "library", "name": "x", "components": [deep]}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [deep]}
    assert "deep" in read("cyclonedx", json.dumps(document), "srv")[1][0].why


@given(st.sampled_from(FORMATS), st.text(max_size=200))
def test_no_text_breaks_a_reader(form: str, text: str) -> None:
    with contextlib.suppress(Invalid):
        read(form, text, "srv")


def test_names_meet() -> None:
    assert keys("Apache Software Foundation", "Apache HTTP Server") == ("apache", "http_server")
    assert keys("", "apache2-bin", "dpkg") == ("apache", "http_server")
    assert keys("", "libc6:amd64", "dpkg") == ("gnu", "glibc")
    assert keys("海康威视", "DS-2CD2xxx") == ("hikvision", "ds_2cd2xxx")
    assert keys("Apache", "Log4j2") == keys("apache", "log4j") == keys("", "log4j-core")
    assert keys("Microsoft Corporation", "Microsoft Exchange Server") == ("microsoft", "exchange_server")
