"""Verdicts on Linux hosts: every probe met on a hardened host and not on a neglected one, and what distributions do differently."""

from __future__ import annotations

import pytest

from compliance.probes.contract import Probe
from compliance.probes.formats.hidden import hidden
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from crypto.sm3 import sm3
from tests.compliance.probes.snapshots import HARD, NOW, WEAK, counted, files, parts

_NOT_ALL = {"host.login_defs.accounts": "partly"}
"""What the neglected host does not wholly miss."""


def _matched(line: str) -> str:
    return files(etc__ssh__sshd_config=f"PermitRootLogin no\nMatch Address 10.9.0.2\n  {line}")


def _judged(probe: str, texts: dict[str, str], **problems: str) -> Result:
    return judged(probes()[probe], parts(texts, **problems), "host", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize("probe", of_source("linux"), ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_host(probe: Probe) -> None:
    good, bad = _judged(probe.id, HARD), _judged(probe.id, WEAK, nft="the host does not have it")
    assert (good.outcome, bad.outcome) == ("met", _NOT_ALL.get(probe.id, "not_met")), (good.reason, bad.reason)
    assert bad.reason_zh.startswith(("不符合：", "部分符合："))
    assert "发现" in bad.reason_zh
    assert good.sm3 == sm3(good.evidence.encode()).hex()
    assert good.items == probe.items
    assert good.reproduce == probe.reproduce


@pytest.mark.parametrize(
    ("probe", "changed", "outcome"),
    [
        # openEuler, Kylin and Anolis: system-auth, faillock by arguments, cracklib credits
        (
            "host.pam_faillock.lockout",
            {
                "pam": files(
                    etc__pam_dot_d__system_dash_auth="auth required pam_faillock.so preauth deny=3 unlock_time=300\n"
                    "auth sufficient pam_unix.so\nauth [default=die] pam_faillock.so authfail deny=3 unlock_time=300",
                    etc__pam_dot_d__sshd="auth substack system-auth",
                )
            },
            "met",
        ),
        (
            "host.pam_faillock.lockout",
            {"pam": files(etc__pam_dot_d__system_dash_auth="auth required pam_tally2.so deny=8 unlock_time=60")},
            "partly",
        ),
        (
            "host.pam_faillock.lockout",  # counted nowhere: preauth alone
            {"pam": files(etc__pam_dot_d__system_dash_auth="auth required pam_faillock.so preauth deny=3")},
            "not_met",
        ),
        (
            "host.pam_faillock.lockout",  # at the console, not by SSH
            {
                "pam": files(
                    etc__pam_dot_d__system_dash_auth="auth required pam_tally2.so deny=5 unlock_time=600",
                    etc__pam_dot_d__sshd="auth include password-auth",
                    etc__pam_dot_d__password_dash_auth="auth sufficient pam_unix.so",
                )
            },
            "partly",
        ),
        (
            "host.pam_pwquality.complexity",
            {
                "pam": files(
                    etc__pam_dot_d__system_dash_auth="password requisite pam_cracklib.so minlen=8 dcredit=-1 ucredit=-1 "
                    "lcredit=-1 enforce_for_root"
                )
            },
            "met",
        ),
        (
            "host.pam_pwquality.complexity",
            {
                "pam": files(
                    etc__pam_dot_d__password_dash_auth="password requisite pam_pwquality.so minlen=6 minclass=3 enforce_for_root"
                )
            },
            "partly",
        ),
        ("host.mac_labels.enforced", {"mac": "/sys/fs/selinux/enforce 1\n== /etc/selinux/config\n| SELINUX=enforcing\n"}, "met"),
        (
            "host.mac_labels.enforced",
            {"mac": "/sys/fs/selinux/enforce 1\n== /etc/selinux/config\n| SELINUX=permissive\n"},
            "partly",
        ),
        ("host.mac_labels.enforced", {"mac": "/sys/fs/selinux/enforce 0\n"}, "not_met"),
        ("host.accounts.password_hashes", {"shadow": "root:sm3:20000:0:90:7::\n"}, "met"),
        # firewalld: the rest is rejected by the last rule, the policy is accept
        (
            "host.firewall.default_deny",
            {
                "nft": "table inet firewalld {\n\tchain filter_INPUT {\n"
                "\t\ttype filter hook input priority filter + 10; policy accept;\n"
                "\t\tct state established accept\n\t\treject with icmpx admin-prohibited\n\t}\n}\n"
            },
            "met",
        ),
        (
            "host.firewall.default_deny",
            {
                "nft": "table ip f {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n"
                "\t\ttcp dport 23 drop\n\t}\n}\n"
            },
            "partly",
        ),
        (
            "host.sshd_config.root_login",
            {"sshd": HARD["sshd"].replace("permitrootlogin no", "permitrootlogin without-password")},
            "partly",
        ),
        (
            "host.mfa.second_factor",
            {"sshd": HARD["sshd"].replace("publickey,keyboard-interactive:pam", "publickey password")},
            "not_met",
        ),
        # what a block of Match opens again is not hidden by what holds else
        ("host.sshd_config.root_login", {"sshd-files": _matched("PermitRootLogin yes")}, "partly"),
        (
            "host.sshd_config.authentication",
            {"sshd-files": _matched("PermitEmptyPasswords yes")},
            "not_met",
        ),
        (
            "host.mfa.second_factor",
            {"sshd-files": _matched("AuthenticationMethods publickey")},
            "partly",
        ),
        # a rule that lets everything through makes a policy of drop worthless
        ("host.firewall.default_deny", {"nft": HARD["nft"].replace("\t\tip saddr", "\t\taccept\n\t\tip saddr")}, "partly"),
        ("host.firewall.default_deny", {"nft": "", "iptables": ":INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\n"}, "met"),
        ("host.firewall.default_deny", {"nft": "", "iptables": ":INPUT DROP [0:0]\n-A INPUT -j ACCEPT\n"}, "partly"),
        ("host.sudoers.grants", {"sudoers": "-- /etc/sudoers\n-- /etc/sudoers.d/*\n"}, "not_applicable"),
        ("host.sudoers.grants", {"sudoers": ""}, "error"),
        ("host.sudoers.grants", {"sudoers": files(etc__sudoers="Welcome to this host")}, "error"),
        ("host.sudoers.grants", {"sudoers": files(etc__sudoers="root ALL=(ALL) ALL\n@include sudoers.local")}, "error"),
        ("host.sudoers.grants", {"sudoers": files(etc__sudoers="#includedir /opt/sudoers.d")}, "error"),
        ("host.sudoers.grants", {"sudoers": files(etc__sudoers_dot_d__a="a ALL=(ALL) ALL")}, "error"),
        ("host.services.shares", {"shares": "-- /etc/exports\n-- /etc/samba/smb.conf\n"}, "not_applicable"),
        ("host.services.shares", {"shares": "-- /etc/exports\n"}, "error"),
        ("host.services.shares", {"shares": ""}, "error"),
        ("host.services.shares", {"shares": "~~ /etc/samba/smb.conf\n"}, "error"),
        ("host.file_perms.cron_files", {"cron-modes": "-- /etc/crontab\n-- /etc/cron.d\n"}, "not_applicable"),
        ("host.file_perms.cron_files", {"cron-modes": ""}, "error"),
        ("host.file_perms.cron_files", {"cron-modes": HARD["cron-modes"] + "Welcome\n"}, "error"),
        ("host.file_perms.world_writable", {"scan": counted()}, "met"),
        ("host.file_perms.world_writable", {"scan": "special 4755 root root /usr/bin/su\n"}, "error"),  # cut off
        ("host.file_perms.world_writable", {"scan": "== done 1\n"}, "error"),
        ("host.file_perms.world_writable", {"scan": counted("unseen nfs4 /mnt/a\\040b")}, "partly"),
        ("host.file_perms.world_writable", {"scan": counted("writable 777 root domain users /etc/a")}, "not_met"),
        ("host.file_perms.special_bits", {"scan": counted("unseen fuse.sshfs /mnt/a")}, "partly"),
        ("host.file_perms.special_bits", {"scan": counted("special what is this")}, "error"),
        ("host.packages.unneeded", {"programs": ""}, "error"),
        ("host.packages.unneeded", {"programs": counted("Welcome")}, "error"),
        ("host.file_integrity.baseline", {"processes": "sshd\n", "integrity": "!! /var/lib/aide/aide.db\n"}, "error"),
        ("host.login_defs.accounts", {"shadow": "root:locked:1:0:99999:7::\n"}, "not_applicable"),
        ("log.forwarding.host", {"syslog": files(etc__rsyslog_dot_conf="*.* @10.1.1.5:514")}, "partly"),
        ("log.forwarding.host", {"syslog": files(etc__rsyslog_dot_d__x_dot_conf="*.* @@(o)10.1.1.5:514")}, "met"),
        ("host.time_sync.source", {"time": files(etc__chrony_dot_conf="pool ntp.aliyun.com iburst")}, "partly"),
        ("host.patch_level.updates", {"apt": f"lists {NOW - 40 * 86_400}\n"}, "partly"),
        ("host.patch_level.updates", {"apt": "lists \n"}, "error"),
        ("host.audit_perms.retention", {"logrotate": files(etc__logrotate_dot_conf="weekly")}, "error"),
    ],
)
def test_what_else_there_is(probe: str, changed: dict[str, str], outcome: str) -> None:
    found = _judged(probe, HARD | changed)
    assert found.outcome == outcome, found.reason


def test_updates_of_rpm_hosts_are_told_only_where_they_are_long_ago() -> None:
    apt = "the host does not have it"
    old = _judged("host.patch_level.updates", HARD | {"rpm": f"{NOW - 200 * 86_400} /var/lib/rpm/rpmdb.sqlite\n"}, apt=apt)
    young = _judged("host.patch_level.updates", HARD | {"rpm": f"{NOW - 2 * 86_400} /var/lib/rpm/rpmdb.sqlite\n"}, apt=apt)
    assert (old.outcome, young.outcome) == ("not_met", "error")


def test_what_a_host_says_cannot_steer_a_terminal() -> None:
    found = _judged("host.file_perms.world_writable", HARD | {"scan": counted("writable 777 root root /etc/a\x1b[2J\u202e")})
    assert found.outcome == "not_met"
    assert found.reason.isprintable()
    assert found.reason_zh.isprintable()


def test_errors_are_told_in_both_languages() -> None:
    found = _judged("host.sshd_config.root_login", HARD, sshd="the host does not have it")
    assert found.reason.endswith("[found: sshd: the host does not have it]")
    assert found.reason_zh.endswith("[发现: sshd：主机没有该项]")
    assert found.reason_zh.startswith("无法判定：")
    hidden_file = _judged("host.sudoers.grants", HARD | {"sudoers": "!! /etc/sudoers\n"})
    assert hidden_file.reason_zh.endswith("[发现: 登录账户无权读取 /etc/sudoers]")


def test_rules_on_disk_stand_in_for_rules_in_force_in_part_only() -> None:
    without = _judged("host.audit_process.locked", HARD, audit_status="the host does not have it")
    assert without.outcome == "partly"
    assert "could not be asked" in without.reason


def test_a_content_cannot_pretend_to_be_another_file() -> None:
    text = files(etc__login_dot_defs="== /etc/login.defs\n| PASS_MAX_DAYS 30\n!! /etc/x")
    assert _judged("host.login_defs.ageing", HARD | {"login-defs": text}).outcome == "not_met"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("export http_proxy=http://bob:geheim@proxy:3128", "export http_proxy=http://***@proxy:3128"),
        ("| @include common-password\n\n== /etc/pam.d/su", "| @include common-password\n\n== /etc/pam.d/su"),
        ("export API_TOKEN='geheim 2' X=1", "export API_TOKEN=*** X=1"),
        ('action(type="ommysql" db_password="geheim")', 'action(type="ommysql" db_password=***)'),
        ("deploy ALL=(root) NOPASSWD: WEB", "deploy ALL=(root) NOPASSWD: WEB"),
        ("password requisite pam_pwquality.so minlen=8", "password requisite pam_pwquality.so minlen=8"),
        ("permitemptypasswords no\nPASS_MAX_DAYS 90", "permitemptypasswords no\nPASS_MAX_DAYS 90"),
    ],
)
def test_secrets_where_they_do_not_belong_are_taken_out(text: str, kept: str) -> None:
    assert hidden(text) == kept


def test_a_reason_stays_short_and_evidence_is_bounded() -> None:
    many = counted(*(f"writable 777 root root /etc/{number:05}{'x' * 100}" for number in range(3_000)))
    found = _judged("host.file_perms.world_writable", HARD | {"scan": many})
    assert "and 2980 more" in found.reason
    assert "另有 2980 项" in found.reason_zh
    assert len(found.evidence) < 33_000
    assert found.evidence.endswith("cut off here")
