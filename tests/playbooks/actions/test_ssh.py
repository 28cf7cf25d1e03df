"""``ssh`` against a real sshd: logins, host keys, limits, and what an attacker would try with addresses, names and commands."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.settings import Settings
from playbooks.actions.ssh import Ssh
from playbooks.model import Action, Authentication, Command, Party, Playbook, Variable
from playbooks.run.resolve import request_for
from playbooks.variables import Scope, Value, VariableError
from tests.playbooks.actions.ssh_server import PASSWORD, USER, SshServer, login
from tests.playbooks.actions.street import GATEWAY, Street, available, street

needed = pytest.mark.skipif(not available("sshd", "ssh"), reason="needs root, iproute2 and openssh-server")


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        yield made


@pytest.fixture(scope="module")
def server(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "gateway", GATEWAY[0], tmp_path_factory.mktemp("sshd"))


def _request(
    server: SshServer, command: str, authentication: Authentication | None = None, *, wanted: str = "", target: Party | None = None
) -> Request:
    return Request(
        key="7.1",
        step_id="action--1",
        command=Command(type="ssh", command=command),
        target_id="ssh--1",
        target=target or server.party(),
        authentication=authentication or login("key"),
        out_args=tuple(wanted.split()),
    )


def _run(
    there: Street, server: SshServer, request: Request, *, seconds: float = 30, stop: threading.Event | None = None
) -> dict[str, Value]:
    with there.inside("platform"):
        return dict(Ssh(server.settings()).run(request, Context(time.monotonic() + seconds, server.secrets(), stop)))


def _refused(there: Street, server: SshServer, request: Request, *, seconds: float = 30) -> ActionError:
    with pytest.raises(ActionError) as caught:
        _run(there, server, request, seconds=seconds)
    return caught.value


@needed
def test_what_a_command_says(there: Street, server: SshServer) -> None:
    request = _request(server, "id -un; echo 莲盾 >&2", wanted="__stdout__ __stderr__ __exit_code__")
    assert _run(there, server, request) == {"__stdout__": "root", "__stderr__": "莲盾", "__exit_code__": "0"}
    assert _run(there, server, _request(server, "hostname -f; printf '\\0'; true", wanted="__any__"))["__any__"]
    assert _run(there, server, _request(server, "true")) == {}


@needed
@pytest.mark.parametrize(("secret", "user"), [("password", USER), ("key", "root")])
def test_no_secret_is_in_an_argument_or_in_the_environment(there: Street, server: SshServer, secret: str, user: str) -> None:
    request = _request(server, "id -un; sleep 2", login(secret, user), wanted="__stdout__")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_run, there, server, request)
        time.sleep(1.2)
        seen = _of_ssh()
        assert running.result() == {"__stdout__": user}
    assert b"StrictHostKeyChecking=yes" in seen
    assert PASSWORD.encode() not in seen
    assert b"BEGIN OPENSSH" not in seen
    assert not [one for one in Path("/dev/shm").iterdir() if "liandun" in one.name]


def _of_ssh() -> bytes:
    """Arguments and environment of the ssh that runs now, as root sees them."""
    found = b""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (folder / "cmdline").read_bytes()
            if arguments.startswith(b"ssh\0-F\0none"):
                found += arguments + (folder / "environ").read_bytes()
    return found


@needed
@pytest.mark.parametrize(
    ("authentication", "code"),
    [
        (login("other"), "SSH_FAILED"),
        (login("nothing"), "ACTION_FAILED"),
        (login("password", "root"), "SSH_FAILED"),
        (login("key", "-oProxyCommand=touch /tmp/x"), "COMMAND_WRONG"),
        (login("key", "root root"), "COMMAND_WRONG"),
        (Authentication(type="user-auth", username="root"), "LOGIN_MISSING"),
        (Authentication(type="oauth2", token="x"), "COMMAND_WRONG"),
    ],
)
def test_logins_that_are_refused(there: Street, server: SshServer, authentication: Authentication, code: str) -> None:
    assert _refused(there, server, _request(server, "true", authentication)).code == code


@needed
def test_another_host_key_is_refused_before_the_login(there: Street, server: SshServer) -> None:
    server.trust("other")
    try:
        error = _refused(there, server, _request(server, "touch /tmp/liandun-never", login("password", USER)))
    finally:
        server.trust("host")
    assert error.code == "SSH_FAILED"
    assert "key verification failed" in str(error).lower()
    assert not Path("/tmp/liandun-never").exists()


@needed
def test_a_host_that_is_not_known_is_not_even_connected_to(there: Street, server: SshServer) -> None:
    for address in ({"ipv4": ["10.9.0.2"]}, {"dname": ["gateway.example"]}, {"ipv6": [GATEWAY[1]]}):
        error = _refused(there, server, _request(server, "true", target=Party(type="ssh", address=address)))
        assert error.code == "HOST_UNKNOWN"
    error = _refused(there, server, _request(server, "true", target=msgspec.structs.replace(server.party(), port="2222")))
    assert error.code == "HOST_UNKNOWN"


@needed
def test_the_next_known_address_is_taken(there: Street, server: SshServer) -> None:
    both = Party(type="ssh", address={"ipv6": [GATEWAY[1]], "ipv4": [GATEWAY[0]]})
    assert _run(there, server, _request(server, "echo yes", wanted="__x__", target=both)) == {"__x__": "yes"}


@needed
def test_over_ipv6(there: Street, server: SshServer) -> None:
    target = Party(type="ssh", address={"ipv6": [GATEWAY[1]]})
    text = server.known_hosts.read_text()
    server.known_hosts.write_text(text.replace(GATEWAY[0], GATEWAY[1]))
    try:
        assert _run(there, server, _request(server, "echo yes", wanted="__x__", target=target)) == {"__x__": "yes"}
    finally:
        server.trust("host")


@needed
def test_a_host_cannot_pretend_that_it_did_not_answer(there: Street, server: SshServer) -> None:
    """It would get the command again, as if it had never run."""
    error = _refused(there, server, _request(server, "echo 'ssh: connect to host x port 22: refused' >&2; exit 255"))
    assert (error.code, error.again) == ("SSH_FAILED", False)


@needed
def test_a_host_that_does_not_answer_is_worth_another_attempt(there: Street, server: SshServer) -> None:
    with server.known_hosts.open("a") as file:
        file.write(server.known_hosts.read_text().replace(GATEWAY[0], f"[{GATEWAY[0]}]:23"))
    error = _refused(there, server, _request(server, "true", target=msgspec.structs.replace(server.party(), port="23")))
    assert (error.code, error.again) == ("UNREACHABLE", True)


@needed
@pytest.mark.parametrize(
    ("target", "command"),
    [
        (Party(type="ssh", address={"dname": ["-oProxyCommand=touch${IFS}x"]}), "true"),
        (Party(type="ssh", address={"dname": ["a b"]}), "true"),
        (Party(type="ssh", address={"ipv6": ["fe80::1%eth0"]}), "true"),
        (Party(type="ssh", address={"ipv4": ["10.9.0.1 -v"]}), "true"),
        (Party(type="ssh", address={"ipv4": ["10.9.0.1"]}, port="22 -v"), "true"),
        (Party(type="ssh", address={"l2mac": ["00:1b:44:11:3a:b7"]}), "true"),
        (Party(type="liandun"), "true"),
        (None, ""),
        (None, "  "),
        (None, "-oProxyCommand=id"),
        (None, "a\0b"),
        (None, "x" * 200_000),
    ],
)
def test_what_is_no_host_or_no_command(there: Street, server: SshServer, target: Party | None, command: str) -> None:
    assert _refused(there, server, _request(server, command, target=target)).code == "COMMAND_WRONG"


@needed
def test_exit_code_time_and_output_are_limited(there: Street, server: SshServer) -> None:
    failed = _refused(there, server, _request(server, "echo no such >&2; exit 3"))
    assert (failed.code, "exit code 3: no such" in str(failed)) == ("COMMAND_FAILED", True)
    assert _refused(there, server, _request(server, "sleep 60"), seconds=2).code == "ACTION_TIMEOUT"
    assert _refused(there, server, _request(server, "yes")).code == "OUTPUT_TOO_LONG"


@needed
def test_a_command_is_called_off(there: Street, server: SshServer) -> None:
    stop = threading.Event()
    threading.Timer(0.7, stop.set).start()
    began = time.monotonic()
    with pytest.raises(ActionError) as caught:
        _run(there, server, _request(server, "sleep 60"), stop=stop)
    assert caught.value.code == "ACTION_CANCELLED"
    assert time.monotonic() - began < 5


def test_a_plan_connects_to_nothing() -> None:
    target = Party(type="ssh", name="gateway", address={"ipv4": ["10.9.0.1"]})
    command = Command(type="ssh", command="ip link set eth3 down")
    request = Request(key="7.1", step_id="action--1", command=command, target=target, authentication=login("key"))
    plan = Ssh(Settings()).plan(request)
    assert (plan.line, plan.touches) == ("root@10.9.0.1: ip link set eth3 down", ("10.9.0.1",))


@pytest.mark.parametrize(
    "value", ["203.0.113.7; reboot", "$(reboot)", "`reboot`", "a b", "-rf", "x\nreboot", "'", "|", ">x", "*", "~", "%PATH%"]
)
def test_values_that_a_shell_would_understand_come_to_no_command(value: str) -> None:
    """Before any action gets it (playbooks.run.resolve)."""
    step = Action(commands=[Command(type="ssh", command="block __ip__:value")], agent="ssh--1")
    made = Playbook(agent_definitions={"ssh--1": Party(type="ssh", address={"ipv4": ["10.9.0.1"]})})
    scope = Scope({"__ip__": Variable(type="string", value=value)})
    with pytest.raises(VariableError, match="cannot stand in a script"):
        request_for(made, "action--1", step, (0, ""), scope, "1.1")
