"""Configurations of Tomcat: hardened, neglected, settings one by one; secrets are taken out; files that are none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.hostile_xml import elements
from compliance.probes.contract import Probe
from compliance.probes.formats.tomcat import node
from compliance.probes.reading.tomcat_files import TomcatFiles
from compliance.probes.registry import of_source
from compliance.probes.result import Result
from compliance.probes.run import run
from kernel.errors import LiandunError
from kernel.programs.time_left import Deadline

_ALL = of_source("tomcat")
_TLS = (
    '<Connector port="8443" SSLEnabled="true"><SSLHostConfig protocols="TLSv1.2+TLSv1.3">'
    '<Certificate certificateKeystorePassword="Hush-1"/></SSLHostConfig></Connector>'
)
_REALM = (
    '<Realm className="org.apache.catalina.realm.LockOutRealm" failureCount="5" lockOutTime="600"><Realm '
    'className="org.apache.catalina.realm.UserDatabaseRealm"><CredentialHandler className="x.SecretKeyCredentialHandler"/>'
    "</Realm></Realm>"
)
_LOG = '<Valve className="org.apache.catalina.valves.AccessLogValve" pattern="%h %u %t &quot;%r&quot; %s %b"/>'
_ERRORS = '<Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false" showServerInfo="false"/>'


def _server(
    top: str = 'port="-1"', connectors: str = _TLS, realm: str = _REALM, host: str = _LOG + _ERRORS, engine: str = ""
) -> str:
    return (
        f'<?xml version="1.0"?><!-- x --><Server {top}><Service name="Catalina">{connectors}<Engine name="Catalina">{realm}{engine}'
        f'<Host name="localhost">{host}</Host></Engine></Service></Server>'
    )


def _web(parameters: str = "", timeout: str = "<session-config><session-timeout>15</session-timeout></session-config>") -> str:
    return (
        '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee"><servlet><servlet-name>default</servlet-name>'
        f"{parameters}</servlet>{timeout}</web-app>"
    )


def _parameter(name: str, value: str) -> str:
    return f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"


_HASH = "3b1a2c" + "0f" * 8 + "$100000$" + "ab" * 20
_HARD = {
    "server.xml": _server(),
    "web.xml": _web(_parameter("listings", "false")),
    "tomcat-users.xml": f'<tomcat-users><user username="chen" password="{_HASH}" roles="app"/></tomcat-users>',
}
_WEAK = {
    "server.xml": _server(
        'port="8005" shutdown="SHUTDOWN"',
        '<Connector port="8080" xpoweredBy="true"/><Connector port="8009" protocol="AJP/1.3"/>',
        '<Realm className="org.apache.catalina.realm.UserDatabaseRealm"/>',
        "",
    ),
    "web.xml": _web(_parameter("listings", "true"), "<session-config><session-timeout>-1</session-timeout></session-config>"),
    "tomcat-users.xml": '<tomcat-users><user username="tomcat" password="s3cret" roles="manager-gui"/></tomcat-users>',
}


def _results(folder: Path, files: dict[str, str]) -> dict[str, Result]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return {one.probe: one for one in run([TomcatFiles("conf", folder)], _ALL, seconds=20)}


@pytest.mark.parametrize("probe", _ALL, ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_one(tmp_path: Path, probe: Probe) -> None:
    good, bad = _results(tmp_path / "hard", _HARD)[probe.id], _results(tmp_path / "weak", _WEAK)[probe.id]
    assert (good.outcome, bad.outcome) == ("met", "not_met"), (good.reason, bad.reason)


@pytest.mark.parametrize(
    ("probe", "changed", "outcome"),
    [
        ("tomcat.accounts.default_accounts", {"tomcat-users.xml": "<tomcat-users/>"}, "met"),
        ("tomcat.accounts.default_accounts", {
            "tomcat-users.xml": '<tomcat-users><user username="both" password="Xy-1"/></tomcat-users>'}, "partly"),
        ("tomcat.accounts.stored_passwords", {"tomcat-users.xml": "<tomcat-users/>"}, "not_applicable"),
        ("tomcat.accounts.stored_passwords", {"server.xml": _server(realm=_REALM.replace("x.SecretKeyCredentialHandler\"",
                                                                                         "x.M\" algorithm=\"MD5\""))}, "partly"),
        ("tomcat.accounts.lockout", {"server.xml": _server(realm="")}, "not_applicable"),
        ("tomcat.accounts.lockout", {"server.xml": _server(realm=_REALM.replace('"600"', '"30"'))}, "partly"),
        ("tomcat.session.timeout", {"web.xml": _web(timeout="")}, "met"),
        ("tomcat.session.timeout", {
            "web.xml": _web(timeout="<session-config><session-timeout>90</session-timeout></session-config>")}, "partly"),
        ("tomcat.tls.transport", {"server.xml": _server(connectors=_TLS + '<Connector port="8080"/>')}, "partly"),
        ("tomcat.tls.transport", {"server.xml": _server(connectors=_TLS.replace("TLSv1.2+", "TLSv1.1+"))}, "not_met"),
        ("tomcat.tls.transport", {
            "server.xml": _server(connectors='<Connector port="8080" address="127.0.0.1"/>')}, "not_applicable"),
        ("tomcat.tls.transport", {"server.xml": _server(connectors="")}, "error"),
        ("tomcat.rbac.listings", {"web.xml": _web(_parameter("readonly", "false"))}, "not_met"),
        ("tomcat.services.shutdown_port", {"server.xml": _server('port="8005" shutdown="xK3.."')}, "met"),
        ("tomcat.services.shutdown_port", {"server.xml": _server("")}, "partly"),
        ("tomcat.services.shutdown_port", {"server.xml": _server(connectors=_TLS + '<Connector protocol="AJP/1.3" secret="Q"/>')},
         "partly"),
        ("tomcat.services.version", {"server.xml": _server(host=_LOG + _ERRORS.replace('showReport="false" ', ""))}, "partly"),
        ("tomcat.services.version", {"server.xml": _server(host=_LOG)}, "partly"),
        ("tomcat.audit.access_log", {"server.xml": _server(host=_ERRORS, engine=_LOG)}, "met"),
        ("tomcat.audit.access_log", {"server.xml": _server(host=_LOG.replace("%u", ""))}, "partly"),
        ("tomcat.audit.access_log", {"server.xml": _server(host=_LOG.replace("pattern=", 'enabled="false" pattern='))}, "not_met"),
    ],
)  # fmt: skip
def test_settings(tmp_path: Path, probe: str, changed: dict[str, str], outcome: str) -> None:
    found = _results(tmp_path / "conf", _HARD | changed)[probe]
    assert found.outcome == outcome, found.reason


def test_no_secret_is_kept(tmp_path: Path) -> None:
    told = "".join(one.evidence + one.reason for files in (_HARD, _WEAK) for one in _results(tmp_path / "conf", files).values())
    for secret in ("Hush-1", "s3cret", _HASH):
        assert secret not in told
    for mark in ("***clear***", "***default***", "***hashed***"):
        assert mark in told


@pytest.mark.parametrize("file", _HARD)
def test_a_file_that_is_missing_or_hostile_is_an_error(tmp_path: Path, file: str) -> None:
    reads = {"server.xml": "server", "web.xml": "web", "tomcat-users.xml": "users"}[file]
    fewer = _results(tmp_path / "fewer", {name: text for name, text in _HARD.items() if name != file})
    hostile = _results(tmp_path / "hostile", _HARD | {file: f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{_HARD[file]}'})
    for found in (fewer, hostile):
        assert {name for name, one in found.items() if one.outcome == "error"} == {one.id for one in _ALL if reads in one.reads}


def test_a_zip_and_what_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "conf.zip", "w") as archive:
        for name, text in _HARD.items():
            archive.writestr(f"conf/{name}", text)
    found = list(run([TomcatFiles("conf.zip", tmp_path / "conf.zip")], _ALL, seconds=20))
    assert {one.outcome for one in found} == {"met"}
    with zipfile.ZipFile(tmp_path / "conf.zip", "a") as archive:
        archive.writestr("other/server.xml", _HARD["server.xml"])
    (tmp_path / "empty").mkdir()
    for name, why in (("conf.zip", "twice"), ("empty", "holds none of")):
        with pytest.raises(LiandunError, match=why):
            TomcatFiles(name, tmp_path / name).read((), Deadline(5))


_ATTRIBUTES = ("password", "keystorePass", "secret", "connectionPassword", "port", "name")


@given(st.dictionaries(st.sampled_from(_ATTRIBUTES), st.text("abcXYZ019$", min_size=1)))
def test_secrets_of_any_element(attributes: dict[str, str]) -> None:
    text = "".join(f' {key}="{value}"' for key, value in attributes.items())
    (found,) = elements(f"<Server{text}/>".encode(), frozenset({"Server"}), frozenset({"Server"}))
    for key, value in node(found).attributes.items():
        assert (value == attributes[key]) == (key in ("port", "name"))
