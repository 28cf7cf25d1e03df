"""Scripts in the sandbox: what they compute comes back, and what they could reach is nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from playbooks.actions.bash import Bash
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.settings import Settings
from playbooks.model import Command
from tests.playbooks.actions.street import available

needed = pytest.mark.skipif(not available("bwrap", "setpriv", "prlimit"), reason="needs root, bubblewrap and util-linux")


def _run(script: str, *, seconds: float = 20, allowed: bool = True) -> str:
    request = Request(key="7.1", step_id="action--1", command=Command(type="bash", command=script), out_args=("__stdout__",))
    return str(Bash(Settings(bash=allowed)).run(request, Context(time.monotonic() + seconds))["__stdout__"])


@needed
def test_a_script_computes() -> None:
    assert _run("for one in 1 2 3; do sum=$((sum + one)); done; echo 莲盾 $sum; cat") == "莲盾 6"
    assert _run("cat <(echo a) <(echo b)") == "a\nb"


@needed
def test_it_sees_no_account_no_environment_no_network_and_no_other_process(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "secret").write_text("secret")
    assert _run("echo $UID $EUID") == "65534 65534"
    assert _run("ls /") == "bin\ndev\nlib\nlib64\nproc\nsbin\nscript\ntmp\nusr"
    assert _run(f"cat {tmp_path}/secret 2>&1; true").endswith("No such file or directory")
    assert _run("env | cut -d= -f1 | sort | tr '\\n' ' '").split() == ["HOME", "LC_ALL", "PATH", "PWD", "SHLVL", "_"]
    assert _run("grep -c : /proc/net/dev") == "1"  # its own loopback
    assert int(_run("ls -d /proc/[0-9]* | wc -l")) < 10
    assert _run("grep -h ^Cap /proc/self/status | cut -f2 | sort -u") == "0000000000000000"
    assert _run("grep NoNewPrivs /proc/self/status | cut -f2") == "1"
    assert os.environ.get("PATH") != _run("echo $PATH")


@needed
@pytest.mark.parametrize(
    "script",
    [
        "echo x >/usr/x",
        "echo x >/script",
        "echo core >/proc/sys/kernel/core_pattern",
        "echo b >/proc/sysrq-trigger",
        "mount -t tmpfs x /tmp",
        "unshare --user true",
        "exec 3<>/dev/tcp/127.0.0.1/22",
        "dd if=/dev/zero of=/tmp/big bs=1M count=200 2>/dev/null",
        "x=$(head -c 2000000000 /dev/zero | tr '\\0' x)",
        "kill -9 1; exit 3",
    ],
)
def test_what_it_may_not_do_fails(script: str) -> None:
    with pytest.raises(ActionError) as caught:
        _run(script)
    assert caught.value.code == "COMMAND_FAILED"


@needed
def test_time_and_output_are_limited_and_nothing_goes_on() -> None:
    with pytest.raises(ActionError) as caught:
        _run("sleep 61.5 & sleep 61.5", seconds=1.5)
    assert caught.value.code == "ACTION_TIMEOUT"
    with pytest.raises(ActionError) as caught:
        _run("yes")
    assert caught.value.code == "OUTPUT_TOO_LONG"
    assert _run("(sleep 62.5 >/dev/null &) ; echo over") == "over"
    time.sleep(0.3)
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if _says(one, b"6[12].5")]


def _says(path: Path, _: bytes) -> bool:
    try:
        return path.read_bytes() in (b"sleep\x0061.5\x00", b"sleep\x0062.5\x00")
    except OSError:
        return False


def test_scripts_are_off_unless_the_configuration_says_so() -> None:
    with pytest.raises(ActionError) as caught:
        _run("true", allowed=False)
    assert caught.value.code == "NOT_ALLOWED"
