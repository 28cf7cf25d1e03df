"""``powershell`` against a WinRM service over real TLS with real NTLM (windows_host.py): no Windows, but no word of ours either."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from playbooks.actions import powershell, wsman
from playbooks.actions.contract import ActionError, Context, Destination, Request
from playbooks.actions.danger import changes_a_system
from playbooks.actions.destination import Reach
from playbooks.actions.settings import Settings
from playbooks.actions.system_kinds import system
from playbooks.model import Authentication, Command, Party
from playbooks.variables import Value
from tests.playbooks.actions.windows_host import DOMAIN, PASSWORD, USER, Authority, Between, WindowsHost, user_file

NAME = "localhost"
HERE = Reach(("127.0.0.0/8",))
LOGIN = f"{DOMAIN}\\{USER}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def host(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowsHost]:
    monkeypatch.setenv("NTLM_USER_FILE", str(user_file(tmp_path)))
    made = WindowsHost(authority.certificate(NAME, "127.0.0.1"))
    yield made
    made.close()


def _request(
    port: int, script: str, *wanted: str, user: str = LOGIN, kind: str = "user-auth", secret: str = "right", **address: Any
) -> Request:
    return Request(
        key="7.3.0.0",
        step_id="action--1",
        command=Command(type="powershell", command=script),
        target_id="net-address--1",
        target=Party(type="net-address", address=address or {"dname": [NAME]}, port=str(port)),
        authentication=Authentication(type=kind, username=user, kms=True, kms_key_identifier=secret),
        out_args=wanted or ("__stdout__", "__stderr__", "__exit_code__"),
    )


def _secrets(asked: list[tuple[str, list[Destination]]] | None = None) -> Any:
    def secret(name: str, places: Sequence[Destination] | None) -> str:
        assert places, "a login goes to a host of a playbook"
        if asked is not None:
            asked.append((name, list(places)))
        return {"right": PASSWORD, "wrong": "x"}[name]

    return secret


def _run(
    authority: Authority,
    request: Request,
    *,
    seconds: float = 20,
    reach: Reach = HERE,
    stop: threading.Event | None = None,
    secrets: Any = None,
) -> dict[str, Value]:
    kind = system(Settings(windows_ca=authority.file), None, reach)["powershell"]
    return dict(kind.run(request, Context(time.monotonic() + seconds, secrets or _secrets(), stop)))


def _names(host: WindowsHost) -> list[str]:
    return [action.rpartition("/")[2] for action in host.actions]


def test_a_script_by_ntlm(host: WindowsHost, authority: Authority) -> None:
    asked: list[tuple[str, list[Destination]]] = []
    gave = _run(authority, _request(host.port, "echo 你好 '<&\">'; echo bad >&2"), secrets=_secrets(asked))
    assert gave == {"__stdout__": '你好 <&">', "__stderr__": "bad", "__exit_code__": "0"}
    assert host.logins == [f"NTLM {LOGIN}"]
    assert asked == [("right", [Destination(NAME, host.port)])]
    assert [name for name in _names(host) if name != "Receive"] == ["Create", "Command", "Signal", "Delete"]
    assert host.shells == {}
    assert PASSWORD not in repr(host.arguments)


def test_by_basic(host: WindowsHost, authority: Authority) -> None:
    assert _run(authority, _request(host.port, "echo ok", "__any__", user=USER, kind="http-basic")) == {"__any__": "ok"}
    assert set(host.logins) == {f"Basic {USER}"}


def test_by_address_and_by_url(host: WindowsHost, authority: Authority) -> None:
    for address in ({"ipv4": ["127.0.0.1"]}, {"url": [f"https://{NAME}:{host.port}/wsman"]}):
        assert _run(authority, _request(host.port, "echo ok", "__any__", **address)) == {"__any__": "ok"}


def test_a_connection_that_is_closed_after_each_answer_is_logged_in_anew(host: WindowsHost, authority: Authority) -> None:
    host.close_after_each = True
    assert _run(authority, _request(host.port, "echo ok", "__any__")) == {"__any__": "ok"}
    assert len(host.logins) == len(host.actions)


def test_a_long_script_that_says_something_now_and_then(host: WindowsHost, authority: Authority) -> None:
    host.hold = 0.1  # nothing comes in time, again and again
    gave = _run(authority, _request(host.port, "echo a; sleep 0.5; echo b; sleep 0.3; exit 0", "__any__"))
    assert gave == {"__any__": "a\nb"}


@pytest.mark.parametrize("code", [1, 3])
def test_an_exit_code_that_is_not_0_is_a_failure(host: WindowsHost, authority: Authority, code: int) -> None:
    with pytest.raises(ActionError, match=f"exit code {code}: no such thing") as caught:
        _run(authority, _request(host.port, f"echo no such thing >&2; exit {code}"))
    assert caught.value.code == "COMMAND_FAILED"
    assert host.shells == {}


@pytest.mark.parametrize(("user", "secret"), [(LOGIN, "wrong"), (f"{DOMAIN}\\nobody", "right")])
@pytest.mark.parametrize("kind", ["user-auth", "http-basic"])
def test_who_may_not_log_in(host: WindowsHost, authority: Authority, kind: str, user: str, secret: str) -> None:
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "echo ok", user=user, secret=secret, kind=kind))
    assert caught.value.code == "LOGIN_REFUSED"
    assert PASSWORD not in str(caught.value)
    assert host.actions == []


def test_a_service_without_ntlm(authority: Authority) -> None:
    host = WindowsHost(authority.certificate(NAME), offers=("Basic",))
    with pytest.raises(ActionError, match="offers no login by NTLM"):
        _run(authority, _request(host.port, "echo ok"))
    host.close()


def test_somebody_between_gains_nothing_by_handing_the_login_on(host: WindowsHost, authority: Authority) -> None:
    """Even with a certificate that we trust: the login is bound to the certificate that we saw."""
    between = Between(authority.certificate(NAME), host.port)
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(between.port, "echo ok"))
    between.close()
    assert caught.value.code == "LOGIN_REFUSED"
    assert host.actions == []


def test_a_certificate_of_nobody_we_know(host: WindowsHost, authority: Authority, tmp_path: Path) -> None:
    kind = system(Settings(), None, HERE)["powershell"]  # by the authorities of the system
    with pytest.raises(ActionError, match="certificate verify failed") as caught:
        kind.run(_request(host.port, "echo ok"), Context(time.monotonic() + 10, _secrets()))
    assert caught.value.code == "UNREACHABLE"
    wrong = WindowsHost(authority.certificate("other.example.cn"))
    with pytest.raises(ActionError, match="certificate verify failed"):
        _run(authority, _request(wrong.port, "echo ok"))
    wrong.close()
    assert host.logins == wrong.logins == []


@pytest.mark.parametrize("reach", [Reach(), Reach(("10.0.0.0/8",))])
def test_a_host_outside_of_the_networks_of_the_configuration(host: WindowsHost, authority: Authority, reach: Reach) -> None:
    asked: list[tuple[str, list[Destination]]] = []
    with pytest.raises(ActionError, match="in no network") as caught:
        _run(authority, _request(host.port, "echo ok"), reach=reach, secrets=_secrets(asked))
    assert (caught.value.code, asked) == ("NOT_ALLOWED", [])


def test_the_public_internet_counts_for_nothing() -> None:
    with pytest.raises(ActionError, match="in no network"):
        Reach().listed(powershell.host_endpoints(Party(type="net-address", address={"ipv4": ["8.8.8.8"]}), 5986)[0])


def test_out_of_time_the_shell_is_closed_and_the_process_has_ended(host: WindowsHost, authority: Authority) -> None:
    began = time.monotonic()
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "echo $$; sleep 60"), seconds=4)
    assert caught.value.code == "ACTION_TIMEOUT"
    assert time.monotonic() - began < 4.5
    assert _names(host)[-2:] == ["Signal", "Delete"]
    assert (host.shells, host.opened[0].process.poll()) == ({}, -9)  # type: ignore[union-attr]


def test_called_off_the_shell_is_closed(host: WindowsHost, authority: Authority) -> None:
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "sleep 60"), stop=stop)
    assert caught.value.code == "ACTION_CANCELLED"
    assert host.shells == {}


def test_output_is_bounded(host: WindowsHost, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(powershell, "MOST_OUTPUT", 20_000)
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "yes"))
    assert caught.value.code == "OUTPUT_TOO_LONG"
    assert host.shells == {}


@pytest.mark.parametrize("action", ["Create", "Command", "Receive"])
def test_a_connection_that_is_lost_is_no_reason_to_do_it_again(host: WindowsHost, authority: Authority, action: str) -> None:
    host.break_at = action
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "echo ok"))
    assert (caught.value.code, caught.value.again) == ("WINRM_FAILED", False)
    assert _names(host).count("Command") <= 1
    assert (host.shells == {}) is (action != "Create")  # a shell whose id never came is the host's to close


def test_the_second_address_only_where_the_first_has_not_begun(host: WindowsHost, authority: Authority) -> None:
    request = _request(host.port, "echo ok", "__any__", url=[f"https://{NAME}:1/wsman", f"https://{NAME}:{host.port}/wsman"])
    assert _run(authority, request) == {"__any__": "ok"}
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(1, "echo ok"))
    assert (caught.value.code, caught.value.again) == ("UNREACHABLE", True)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"<", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16-le"),
        b"<?xml version='1.0' encoding='no-such'?><a/>",
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
    ],
)  # fmt: skip
def test_an_answer_that_is_none(host: WindowsHost, authority: Authority, answer: bytes) -> None:
    host.answer_with = answer or b" "
    with pytest.raises(ActionError) as caught:
        _run(authority, _request(host.port, "echo ok"))
    assert caught.value.code == "WINRM_FAILED"


def test_a_fault_is_told_as_the_host_tells_it(host: WindowsHost, authority: Authority) -> None:
    host.create = lambda root: host.opened.append(None) or _created("NO-SUCH-SHELL")  # type: ignore[method-assign, arg-type, func-returns-value]
    with pytest.raises(ActionError, match="The shell was not found on the server") as caught:
        _run(authority, _request(host.port, "echo ok"))
    host.opened.clear()
    assert caught.value.code == "WINRM_REFUSED"


def _created(shell: str) -> str:
    return f'<r:Shell xmlns:r="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><r:ShellId>{shell}</r:ShellId></r:Shell>'


def test_objects_of_powershell_become_text() -> None:
    said = (
        b'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        b'<S S="Error">no such_x000D__x000A_</S>'
        b'<S S="Progress">x</S><S S="Error">thing &lt;1&gt;</S></Objs>'
    )
    assert powershell._plain(said) == b"no such\r\nthing <1>"
    for other in (b"plain", b"#< CLIXML\r\n<Objs", b"#< CLIXML\r\n<!DOCTYPE x><Objs/>"):
        assert powershell._plain(b"\xef\xbb\xbf" + other) == other


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (_request(5986, " "), "the script is empty"),
        (_request(5986, "x" * 2_901), "2,900 can be sent"),
        (_request(5986, "echo", url=["http://h:5985/wsman"]), "over TLS only"),
        (_request(5986, "echo", dname=["a b"]), "no address of a host"),
        (_request(5986, "echo", dname=["user@h"]), "no address of a host"),
        (_request(5986, "echo", l2mac=["00:1b:44:11:3a:b7"]), "no address of a host"),
    ],
)
def test_what_cannot_be_sent(request_: Request, message: str) -> None:
    with pytest.raises(ActionError, match=message) as caught:
        system()["powershell"].plan(request_)
    assert caught.value.code == "COMMAND_WRONG"


def test_the_plan_says_who_where_and_what() -> None:
    plan = system()["powershell"].plan(_request(5986, "Get-Process"))
    assert (plan.line, plan.touches) == (f"{LOGIN}@{NAME}: Get-Process", (NAME,))
    assert changes_a_system(_request(5986, "Get-Process"))


def test_messages_hold_values_as_texts_only() -> None:
    hostile = '"></w:Selector><a>&'
    for message in (
        wsman.command(hostile, hostile, hostile, [hostile]),
        wsman.receive("t", hostile, hostile),
        wsman.terminate("t", "s", hostile),
    ):
        assert b"<a>&" not in message
    assert re.search(rb"uuid:[0-9A-F-]{36}", wsman.create("t"))
    script = powershell._encoded("写" * 2_900)
    assert len(" ".join([powershell._PROGRAM, *powershell._OPTIONS, script])) < 8_150
    assert base64.b64decode(script).decode("utf-16-le") == "写" * 2_900
