"""Programs within a deadline of the kernel's own, and errors of a caller that pass through."""

from __future__ import annotations

import threading

import pytest

from kernel.programs.error import ProgramError
from kernel.programs.process import run
from kernel.programs.ssh import Login, is_user_name
from kernel.programs.ssh_host import SshHost, read_host
from kernel.programs.time_left import Deadline


def test_a_program_ends_with_its_deadline_or_when_it_is_called_off() -> None:
    assert run(["printf", "莲盾"], Deadline(10)).output.decode() == "莲盾"
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    for deadline, code in ((Deadline(0.4), "TIMEOUT"), (Deadline(9, stop), "CANCELLED"), (Deadline(0), "TIMEOUT")):
        with pytest.raises(ProgramError) as caught:
            run(["sleep", "73.25"], deadline)
        assert caught.value.code == code


def test_the_error_of_the_caller_passes_through() -> None:
    class Over(Exception):
        pass

    class Mine:
        def left(self) -> float:
            raise Over

    with pytest.raises(Over):
        run(["true"], Mine())


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("web-1.example.cn", SshHost("web-1.example.cn", 22)),
        ("10.0.0.1:2222", SshHost("10.0.0.1", 2222)),
        ("2001:db8::1", SshHost("2001:db8::1", 22)),
        ("[2001:DB8::1]:2222", SshHost("2001:db8::1", 2222)),
    ],
)
def test_hosts_are_read(text: str, host: SshHost) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize("text", ["", "-oProxyCommand=x", "a b", "host:0", "host:x", "[::1", "[::1]22", "fe80::1%eth0", "a:b:c"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ProgramError) as caught:
        read_host(text)
    assert caught.value.code == "COMMAND_WRONG"


def test_a_login_does_not_show_its_secret() -> None:
    assert "hunter2" not in f"{Login('root', 'hunter2')!r} {Login('root', 'hunter2')}"
    assert is_user_name("admin_1")
    assert not is_user_name("-oX")
