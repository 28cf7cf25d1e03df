"""A hardened and a neglected Debian through a real sshd: verdicts, what is refused, and that nothing over there changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.probes.contract import Probe
from compliance.probes.reading.host import There
from compliance.probes.registry import of_source
from compliance.probes.result import Result
from compliance.probes.run import run
from compliance.probes.target import LinuxHost
from kernel.layout import Layout
from kernel.programs.ssh import Login
from tests.compliance.probes.house import House
from tests.playbooks.actions.street import PLATFORM, Street, available, street
from tests.state_database import migrated

ROOT = Path(__file__).resolve().parents[3]
ALL = [*of_source("linux"), *of_source("nginx")]
pytestmark = pytest.mark.slow
needed = pytest.mark.skipif(
    not available("sshd", "ssh", "unshare", "nft"), reason="needs root, iproute2, openssh-server and nftables"
)

_SSHD = "HostKey /etc/ssh/ssh_host_ed25519_key\nAuthorizedKeysFile /etc/ssh/authorized\nPidFile none\nLogLevel ERROR\n"
_HARD = {
    "etc/ssh/sshd_config": _SSHD + "UsePAM yes\nPermitRootLogin no\nMaxAuthTries 4\nLoginGraceTime 60\nClientAliveInterval 300\n"
    "ClientAliveCountMax 2\nPasswordAuthentication no\nAuthenticationMethods publickey,keyboard-interactive:pam\n"
    f"AllowUsers root@{PLATFORM[0]}\nCiphers aes256-gcm@openssh.com\nMACs hmac-sha2-512-etm@openssh.com\n"
    f"KexAlgorithms curve25519-sha256\n"
    f"Match Address {PLATFORM[0]}\n  PermitRootLogin prohibit-password\n  AuthenticationMethods publickey\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
    "alice:x:1000:1000::/home/alice:/bin/sh\n",
    "etc/shadow": "root:!:20000:0:99999:7:::\nsshd:!:20000::::::\nalice:$y$j9T$abc$def:31000:1:90:7:::\n",
    "etc/login.defs": "PASS_MAX_DAYS 90\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nUMASK 027\n",
    "etc/profile": "umask 027\nreadonly TMOUT=600\nexport TMOUT\n",
    "etc/pam.d/common-auth": "auth requisite pam_faillock.so preauth\nauth [success=1 default=ignore] pam_unix.so\n"
    "auth [default=die] pam_faillock.so authfail\nauth required pam_permit.so\n",
    "etc/pam.d/common-password": "password requisite pam_pwquality.so\npassword required pam_pwhistory.so remember=5\n"
    "password [success=1 default=ignore] pam_unix.so\n",
    "etc/pam.d/su": "auth required pam_wheel.so\n",
    "etc/pam.d/login": "auth requisite pam_securetty.so\n@include common-auth\n",
    "etc/securetty": "tty1\n",
    "etc/security/pwquality.conf": "minlen = 10\nminclass = 3\nenforce_for_root\n",
    "etc/security/faillock.conf": "deny = 5\nunlock_time = 900\n",
    "etc/security/limits.conf": "* hard core 0\n",
    "etc/audit/auditd.conf": "max_log_file = 50\nnum_logs = 30\nmax_log_file_action = ROTATE\ndisk_full_action = HALT\n",
    "etc/audit/rules.d/all.rules": "-w /etc/passwd -p wa\n-w /etc/sudoers -p wa\n-a always,exit -S execve -F euid=0\n"
    "-a always,exit -S adjtimex\n"
    "-w /var/log/lastlog -p wa\n-a always,exit -S chmod\n-a always,exit -S unlink\n-e 2\n",
    "etc/rsyslog.conf": "*.* @@10.9.0.2:6514\n",
    "etc/logrotate.conf": "weekly\nrotate 4\n",
    "etc/logrotate.d/rsyslog": "/var/log/auth.log\n{\n\tmonthly\n\trotate 12\n}\n",
    "etc/sudoers": "root ALL=(ALL) ALL\n%sudo ALL=(ALL) ALL\n",
    "etc/cron.allow": "root\n",
    "etc/modprobe.d/usb.conf": "install usb-storage /bin/false\n",
    "etc/systemd/timesyncd.conf": None,
    "etc/nginx/nginx.conf": "user www-data;\nevents {}\nhttp {\n  server_tokens off;\n"
    "  log_format main '$time_iso8601 $remote_addr "
    '$remote_user "$request" $status\';\n  access_log /var/log/nginx/access.log main;\n  include conf.d/*.conf;\n}\n',
    "etc/nginx/conf.d/site.conf": "server { listen 80; return 301 https://$host$request_uri; }\n"
    "server { listen 443 ssl; server_name a.example; ssl_certificate c; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers HIGH:!aNULL;\n"
    "  add_header Strict-Transport-Security 'max-age=31536000' always;\n"
    "  location /status { stub_status; allow 10.9.0.0/24; deny all; } }\n",
    "var/log/auth.log": "\n",
}
_WEAK = {
    "etc/ssh/sshd_config": _SSHD + "UsePAM no\nPermitRootLogin yes\nMaxAuthTries 20\nLoginGraceTime 0\nStrictModes no\n"
    "PermitEmptyPasswords yes\nPasswordAuthentication yes\nHostbasedAuthentication yes\nCiphers aes128-ctr,3des-cbc\n"
    "MACs hmac-sha1\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
    "games:x:5:60::/:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n",
    "etc/shadow": "root:$1$abc$def:20000:0:99999:7:::\ntoor:$1$abc$def:31000:0:99999:7:::\nsshd:!:20000::::::\n"
    "games:$5$abc$def:20000:0:30:7:::\nbob::31000:0:99999:7:::\n",
    "etc/login.defs": "PASS_MAX_DAYS 99999\nUMASK 000\n",
    "etc/profile": "umask 000\n",
    "etc/pam.d/common-auth": "auth required pam_unix.so nullok\n",
    "etc/pam.d/common-password": "password required pam_unix.so md5\n",
    "etc/pam.d/su": "auth required pam_unix.so\n",
    "etc/security/pwquality.conf": "minlen = 10\nminclass = 3\n",
    "etc/rsyslog.conf": "*.* /var/log/all\n",
    "etc/logrotate.d/rsyslog": "/var/log/auth.log\n{\n\tdaily\n\trotate 7\n}\n",
    "etc/sudoers": "bob ALL=(ALL) NOPASSWD: ALL\n",
    "etc/nginx/nginx.conf": "user root;\nevents {}\nhttp { include conf.d/*.conf; log_format short '$remote_addr';\n"
    "  access_log /var/log/a short; }\n",
    "etc/nginx/conf.d/site.conf": "server { listen 80; root /srv; autoindex on; access_log off;\n"
    '  location /api { proxy_pass http://x; proxy_set_header Authorization "Basic c2VjcmV0"; } }\n'
    "server { listen 443 ssl; ssl_certificate c; ssl_protocols TLSv1 TLSv1.2; ssl_ciphers ALL:RC4; }\n",
    "etc/profile.d/proxy.sh": "export https_proxy=http://bob:geheim@proxy:3128\n",
    "etc/exports": "/ *(rw,no_root_squash)\n",
    "var/log/auth.log": "\n",
    "opt/find": "#!/bin/sh\n",
    "opt/open/file": "x\n",
}
_MODES = {
    "etc/shadow": 0o640,
    "etc/sudoers": 0o440,
    "etc/ssh/ssh_host_ed25519_key": 0o600,
    "var/log/auth.log": 0o640,
    "etc/cron.d": 0o700,
}
_WEAK_MODES = {
    "etc/shadow": 0o644, "etc/sudoers": 0o440, "etc/passwd": 0o666, "var/log/auth.log": 0o666,
    "etc/ssh/ssh_host_ed25519_key": 0o600, "etc/cron.d": 0o777, "opt/find": 0o4755, "opt/open/file": 0o666,
}  # fmt: skip
_FILTER = "table inet f { chain i { type filter hook input priority 0; policy drop; ip saddr 10.9.0.0/24 tcp dport 22 accept; }; }"
_ALIKE = {
    "host.auditd_rules.running": "not_met", "host.av.running": "not_met", "host.av_age.signatures": "error",
    "host.file_integrity.baseline": "not_met", "host.hids.agent": "not_met", "host.services.cleartext_logins": "met",
    "host.services.open_ports": "met", "host.time_sync.source": "not_met", "host.patch_level.updates": "error",
}  # fmt: skip
"""What both houses have alike: no service runs but sshd, and there is no list of packages."""
_OTHERWISE = {
    "host.accounts.root_terminals": ("met", "partly"),
    "host.audit_process.locked": ("partly", "not_met"),
    "host.sshd_config.root_login": ("partly", "not_met"),  # the platform's address is let in
    "host.mfa.second_factor": ("partly", "not_met"),
    "host.login_defs.accounts": ("met", "partly"),
    "host.services.shares": ("not_applicable", "not_met"),
    "nginx.services.version": ("met", "partly"),
}
_OF_THE_MACHINE = {
    "host.disk_encryption.volumes", "host.mac_labels.enforced", "host.trusted_boot.root", "host.services.kernel",
    "host.packages.unneeded",
}  # fmt: skip
"""Kernel, disks and /usr are those of the machine that the tests run on."""


class _Pair:
    def __init__(self, hard: House, weak: House, streets: dict[str, Street]) -> None:
        self.houses, self.streets = {"hard": hard, "weak": weak}, streets
        self.results: dict[str, dict[str, Result]] = {}
        self.before: dict[str, dict[str, tuple[object, ...]]] = {}
        self.after: dict[str, dict[str, tuple[object, ...]]] = {}
        for kind, house in self.houses.items():
            self.before[kind] = house.state()
            self.results[kind] = {one.probe: one for one in self.run(kind)}
            self.after[kind] = house.state()

    def run(self, kind: str, login: Login | None = None, known_hosts: Path | None = None, seconds: float = 120) -> list[Result]:
        house = self.houses[kind]
        shell = There(house.host, (lambda _: login) if login else house.login, known_hosts or house.known_hosts)
        with self.streets[kind].inside("platform"):
            return list(run([LinuxHost(kind, shell)], ALL, seconds=seconds))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Pair]:
    with street() as first, street() as second:
        hard = House(first, "server", tmp_path_factory.mktemp("hard"), _HARD, _MODES)
        for one in ("all/accept_redirects", "all/send_redirects"):
            first.run("server", "sh", "-c", f"echo 0 >/proc/sys/net/ipv4/conf/{one}")
        first.run("server", "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/all/accept_redirects")
        first.run("server", "nft", _FILTER)
        weak = House(second, "server", tmp_path_factory.mktemp("weak"), _WEAK, _WEAK_MODES)
        yield _Pair(hard, weak, {"hard": first, "weak": second})


@needed
@pytest.mark.parametrize("probe", ALL, ids=lambda one: one.id)
def test_verdicts_of_a_hardened_and_a_neglected_host(pair: _Pair, probe: Probe) -> None:
    found = tuple(pair.results[kind][probe.id].outcome for kind in ("hard", "weak"))
    if probe.id in _OF_THE_MACHINE:
        assert set(found) <= {"met", "partly", "not_met"}
        return
    alike = _ALIKE.get(probe.id)
    expected = (alike, alike) if alike else _OTHERWISE.get(probe.id, ("met", "not_met"))
    if probe.id == "host.file_perms.special_bits" and found[0] == "partly":  # /usr is this machine's
        assert "/usr/" in pair.results["hard"][probe.id].reason
        expected = ("partly", "not_met")
    assert found == expected, [pair.results[kind][probe.id].reason for kind in ("hard", "weak")]


@needed
@pytest.mark.parametrize("kind", ["hard", "weak"])
def test_nothing_over_there_changes(pair: _Pair, kind: str) -> None:
    assert len(pair.before[kind]) > 200
    assert pair.after[kind] == pair.before[kind]


@needed
def test_no_secret_of_the_host_comes_along(pair: _Pair) -> None:
    told = "".join(one.evidence + one.reason for found in pair.results.values() for one in found.values())
    assert "alice:y:" in told, "the kind of a hash is told"
    for secret in ("abc$def", "$j9T$", "c2VjcmV0", "geheim", "PRIVATE KEY"):
        assert secret not in told


@needed
def test_a_host_that_is_not_known_and_one_with_another_key_are_errors(pair: _Pair, tmp_path: Path) -> None:
    nobody, other = tmp_path / "nobody", tmp_path / "other"
    nobody.write_text("")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    other.write_text(f"{pair.houses['hard'].host.name} {' '.join((tmp_path / 'key.pub').read_text().split()[:2])}\n")
    for known_hosts, why in ((nobody, "no host key"), (other, "host key for"), (tmp_path / "none", "no host key")):
        found = pair.run("hard", known_hosts=known_hosts)
        assert {one.outcome for one in found} == {"error"}
        assert all(why in one.reason.lower() for one in found), found[0].reason


@needed
def test_a_login_that_is_refused_is_an_error(pair: _Pair, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    found = pair.run("hard", login=Login("root", (tmp_path / "key").read_text()))
    assert {one.outcome for one in found} == {"error"}
    assert "Permission denied" in found[0].reason


@needed
def test_a_login_that_may_not_see_all_gets_errors_for_what_it_cannot_see(pair: _Pair) -> None:
    key = pair.houses["weak"].login(pair.houses["weak"].host).secret
    found = {one.probe: one for one in pair.run("weak", login=Login("bob", key))}
    for name in (
        "host.sudoers.grants",
        "host.file_perms.world_writable",
        "host.file_perms.special_bits",
        "host.sshd_config.root_login",
    ):
        assert found[name].outcome == "error", found[name].reason
    assert found["host.login_defs.ageing"].outcome == "not_met"
    root = pair.results["weak"]
    better = {name for name, one in found.items() if one.outcome == "met" and root[name].outcome not in ("met",)}
    assert not better, "who sees less never says more"


@needed
def test_the_command(pair: _Pair, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
    database.close()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(layout.root)}
    house = pair.houses["hard"]

    def call(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        line = ["ip", "netns", "exec", pair.streets["hard"].names["platform"], sys.executable, "-m", "cli", *words]
        return subprocess.run(line, input=given, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)

    secret = house.login(house.host).secret
    assert call("playbook", "secret", "set", "house", "--host", f"{house.host.name}:22", given=secret).returncode == 0
    assert call("playbook", "secret", "set", "elsewhere", "--host", "10.99.0.1:22", given=secret).returncode == 0
    told = ("compliance", "probe", house.host.name, "--known-hosts", str(house.known_hosts), "--probe", "host.sshd_config")
    good = call(*told, "--key-secret", "house", "--format", "json")
    assert good.returncode == 1, good.stderr
    found = json.loads(good.stdout)
    assert {one["outcome"] for one in found} == {"met", "partly"}
    assert {one["target"] for one in found} == {house.host.name}
    shown = call(*told, "--key-secret", "house", "--lang", "en").stdout
    assert "host.sshd_config.root_login  8.1.4.2.b 8.1.4.2.d" in shown
    for name in ("elsewhere", "nothing"):
        refused = call(*told, "--key-secret", name, "--format", "json")
        assert refused.returncode == 1
        assert {one["outcome"] for one in json.loads(refused.stdout)} == {"error"}
