"""Two Linux hosts as ``reading.host`` brings them: a hardened Debian and a neglected one; and what the others do differently."""

from __future__ import annotations

from compliance.probes.facts import Part


def files(**content: str) -> str:
    """A part that shows files; names are paths with __ for / (and _dot_ for .)."""
    return "".join(f"== {path(name)}\n" + "".join(f"| {line}\n" for line in text.splitlines()) for name, text in content.items())


def counted(*lines: str) -> str:
    """A list that says that it is whole."""
    return "".join(f"{line}\n" for line in lines) + f"== done {len(lines)}\n"


def path(name: str) -> str:
    return "/" + name.replace("__", "/").replace("_dot_", ".").replace("_dash_", "-")


NOW = 1_800_000_000
TODAY = NOW // 86_400
_TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def _socket(address: str, port: int, state: str = "0A") -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 1\n"


_ANY, _LOOP = "00000000", "0100007F"

HARD: dict[str, str] = {
    "os": 'ID=debian\nVERSION_ID="12"\n6.1.0\n',
    "clock": f"{NOW}\n",
    "accounts": files(
        etc__passwd="root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nsync:x:4:65534::/bin:/bin/sync\n"
        "alice:x:1000:1000::/home/alice:/bin/bash"
    ),
    "groups": files(etc__group="root:x:0:\nsudo:x:27:alice"),
    "shadow": f"root:locked:{TODAY - 10}:1:90:7::\ndaemon:locked:1:0:99999:7::\nalice:y:{TODAY - 10}:1:90:7::\n",
    "login-defs": files(etc__login_dot_defs="# a comment\nPASS_MAX_DAYS\t90\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nUMASK 027"),
    "pam": files(
        etc__pam_dot_d__common_dash_auth="auth requisite pam_faillock.so preauth\n"
        "auth [success=1 default=ignore] pam_unix.so nullok\n"
        "auth [default=die] pam_faillock.so authfail\nauth required pam_permit.so",
        etc__pam_dot_d__common_dash_password="password requisite pam_pwquality.so retry=3\n"
        "password required pam_pwhistory.so remember=5 use_authtok\n"
        "password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt",
        etc__pam_dot_d__login="auth requisite pam_securetty.so\n@include common-auth",
        etc__pam_dot_d__sshd="@include common-auth\n@include common-account",
        etc__pam_dot_d__su="auth sufficient pam_rootok.so\nauth required pam_wheel.so group=sudo\n@include common-auth",
        etc__security__pwquality_dot_conf="minlen = 10\nminclass = 3\nenforce_for_root",
        etc__security__faillock_dot_conf="deny = 5\nunlock_time = 900\neven_deny_root",
    ),
    "sshd": "port 22\nusepam yes\nlogingracetime 60\nmaxauthtries 4\nclientaliveinterval 300\nclientalivecountmax 2\n"
    "permitrootlogin no\nignorerhosts yes\nhostbasedauthentication no\npubkeyauthentication yes\npasswordauthentication no\n"
    "strictmodes yes\npermitemptypasswords no\nciphers aes256-gcm@openssh.com,aes256-ctr\n"
    "macs hmac-sha2-512-etm@openssh.com,hmac-sha2-256\nkexalgorithms curve25519-sha256\n"
    "hostkeyalgorithms ssh-ed25519,rsa-sha2-512\n"
    "authenticationmethods publickey,keyboard-interactive:pam\nallowusers alice@10.9.0.*\nlistenaddress 0.0.0.0:22\n",
    "sshd-files": files(etc__ssh__sshd_config="PermitRootLogin no\nMatch Group sftp\n  X11Forwarding no"),
    "audit-rules": "-w /etc/passwd -p wa -k identity\n-w /etc/shadow -p wa\n-w /etc/sudoers -p wa\n"
    "-a always,exit -F arch=b64 -S execve -F euid=0 -F key=root\n-a always,exit -F arch=b64 -S adjtimex,settimeofday -F key=time\n"
    "-w /var/log/lastlog -p wa\n-a always,exit -F arch=b64 -S chmod,fchmod,fchmodat\n"
    "-a always,exit -F arch=b64 -S unlink,unlinkat,rename\n",
    "audit-status": "enabled 2\nfailure 1\npid 400\nrate_limit 0\nbacklog_limit 8192\nlost 0\nbacklog 0\n",
    "audit-files": files(
        etc__audit__auditd_dot_conf="max_log_file = 50\nnum_logs = 10\nmax_log_file_action = keep_logs\ndisk_full_action = SUSPEND",
        etc__audit__rules_dot_d__99_dash_end_dot_rules="-e 2",
    ),
    "syslog": files(etc__rsyslog_dot_conf='*.* action(type="omfwd" target="10.1.1.5" port="6514" protocol="tcp")'),
    "logrotate": files(
        etc__logrotate_dot_conf="weekly\nrotate 4\ninclude /etc/logrotate.d",
        etc__logrotate_dot_d__rsyslog="/var/log/syslog\n/var/log/auth.log\n{\n\trotate 26\n\tweekly\n\tcompress\n}",
    ),
    "sudoers": files(
        etc__sudoers="Defaults use_pty\nCmnd_Alias WEB = /usr/bin/systemctl restart nginx\nroot ALL=(ALL:ALL) ALL\n"
        "%sudo ALL=(ALL:ALL) ALL\ndeploy ALL=(root) NOPASSWD: WEB\n@includedir /etc/sudoers.d"
    ),
    "sockets": files(proc__net__tcp=_TCP + _socket(_ANY, 22) + _socket(_LOOP, 5432), proc__net__udp=_TCP),
    "processes": "auditd\nchronyd\nclamd\nrsyslogd\nsshd\nsystemd\nwazuh-agentd\nusbguard-daemon\n",
    "units": "auditd.service\ndailyaidecheck.timer\nssh.service\n",
    "nft": "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n"
    "\t\tip saddr 10.9.0.0/24 tcp dport 22 accept\n\t}\n}\n",
    "iptables": "",
    "hosts-access": files(etc__hosts_dot_deny="# nothing"),
    "mac": "/sys/module/apparmor/parameters/enabled Y\nenforced 24\n",
    "apt": f"lists {NOW - 86_400}\nReading package lists...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n",
    "rpm": "",
    "time": files(etc__chrony__chrony_dot_conf="server 10.1.1.7 iburst\ndriftfile /var/lib/chrony/drift"),
    "limits": files(etc__security__limits_dot_conf="* hard core 0"),
    "profiles": files(etc__profile="umask 027\nreadonly TMOUT=600\nexport TMOUT"),
    "account-modes": "644 root root /etc/passwd\n640 root shadow /etc/shadow\n440 root root /etc/sudoers\n"
    "600 root root /etc/ssh/sshd_config\n"
    "600 root root /etc/ssh/ssh_host_ed25519_key\n600 root root /boot/grub/grub.cfg\n755 root root /etc/pam.d\n",
    "log-modes": "755 root root /var/log\n640 root adm /var/log/auth.log\n750 root adm /var/log/audit\n"
    "600 root adm /var/log/audit/audit.log\n"
    "664 root utmp /var/log/wtmp\n",
    "cron-modes": "600 root root /etc/crontab\n700 root root /etc/cron.d\n600 root root /etc/cron.allow\n",
    "sysctl": "kernel/randomize_va_space = 2\nkernel/core_pattern = core\nfs/suid_dumpable = 0\nfs/protected_symlinks = 1\n"
    "net/ipv4/tcp_syncookies = 1\nnet/ipv4/conf/all/accept_source_route = 0\nnet/ipv4/conf/all/accept_redirects = 0\n"
    "net/ipv4/conf/all/send_redirects = 0\nnet/ipv4/ip_forward = 0\n",
    "scan": counted(
        "special 4755 root root /usr/bin/sudo",
        "special 4755 root root /usr/bin/passwd",
        "special 2755 root shadow /usr/bin/chage",
    ),
    "shares": files(etc__exports="/srv/data 10.1.0.0/16(rw,root_squash)") + "-- /etc/samba/smb.conf\n",
    "securetty": files(etc__securetty="console\ntty1"),
    "modprobe": files(etc__modprobe_dot_d__usb_dot_conf="install usb-storage /bin/false"),
    "disks": "sda disk  \nsda1 part crypto_LUKS \nluks-1 crypt ext4 /\n\nFilename Type Size Used Priority\n"
    "/dev/dm-1 partition 1 0 -2\n",
    "boot": "efi yes\nsecure_boot 1\ntpm tpm0\nima 1400\nvirtual no\n",
    "integrity": "600 root root /etc/aide/aide.conf\n600 root root /var/lib/aide/aide.db\n"
    "755 root root /etc/cron.daily/dailyaidecheck\n",
    "signatures": f"{NOW - 86_400} /var/lib/clamav/daily.cld\n{NOW - 50 * 86_400} /var/lib/clamav/main.cvd\n",
    "programs": counted(),
    "nginx-programs": counted(),
    "nginx": "-- /etc/nginx/nginx.conf\n",
}

WEAK: dict[str, str] = {
    "os": 'ID=debian\nVERSION_ID="10"\n4.19.0\n',
    "clock": f"{NOW}\n",
    "accounts": files(
        etc__passwd="root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\ngames:x:5:60::/usr/games:/bin/sh\n"
        "bob:x:1000:1000::/home/bob:/bin/bash\nguest:x:1000:1001::/home/guest:"
    ),
    "groups": files(etc__group="root:x:0:"),
    "shadow": f"root:1:{TODAY - 900}:0:99999:7::\ntoor:des:{TODAY - 9}:0:99999:7::\ngames:5:{TODAY - 9}:0:99999:7::\n"
    f"bob:6:{TODAY - 900}:0:90:7::{TODAY - 400}\nguest:empty:{TODAY - 9}:0:99999:7::\n",
    "login-defs": files(etc__login_dot_defs="PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nUMASK 000"),
    "pam": files(
        etc__pam_dot_d__common_dash_auth="auth [success=1 default=ignore] pam_unix.so nullok",
        etc__pam_dot_d__common_dash_password="password [success=1 default=ignore] pam_unix.so obscure md5",
        etc__pam_dot_d__login="auth requisite pam_securetty.so\n@include common-auth",
        etc__pam_dot_d__sshd="@include common-auth",
        etc__pam_dot_d__su="auth sufficient pam_rootok.so\n# auth required pam_wheel.so\n@include common-auth",
    ),
    "sshd": "port 22\nusepam no\nlogingracetime 0\nmaxauthtries 20\nclientaliveinterval 0\nclientalivecountmax 3\n"
    "permitrootlogin yes\n"
    "ignorerhosts no\nhostbasedauthentication yes\npubkeyauthentication yes\npasswordauthentication yes\nstrictmodes no\n"
    "permitemptypasswords yes\nciphers aes128-ctr,3des-cbc,arcfour\nmacs hmac-md5,hmac-sha1\n"
    "kexalgorithms diffie-hellman-group1-sha1\nhostkeyalgorithms ssh-dss\nauthenticationmethods any\nlistenaddress 0.0.0.0:22\n",
    "sshd-files": files(etc__ssh__sshd_config="PermitRootLogin yes"),
    "audit-rules": "No rules\n",
    "audit-status": "enabled 0\nfailure 1\npid 0\nlost 12\n",
    "audit-files": files(etc__audit__auditd_dot_conf="max_log_file_action = IGNORE\nmax_log_file = 8\nnum_logs = 5"),
    "syslog": files(etc__rsyslog_dot_conf="*.* /var/log/syslog\n#*.* @@10.1.1.5:514"),
    "logrotate": files(
        etc__logrotate_dot_conf="weekly\nrotate 4", etc__logrotate_dot_d__rsyslog="/var/log/syslog\n{\n\trotate 7\n\tdaily\n}"
    ),
    "sudoers": files(etc__sudoers="root ALL=(ALL:ALL) ALL\nUser_Alias OPS = bob, eve\nOPS ALL=(ALL) NOPASSWD: ALL"),
    "sockets": files(
        proc__net__tcp=_TCP + _socket(_ANY, 22) + _socket(_ANY, 23) + _socket(_ANY, 445) + _socket(_ANY, 6379),
        proc__net__udp=_TCP + _socket(_ANY, 69, "07"),
    ),
    "processes": "cron\nin.telnetd\nsshd\nsystemd\n",
    "units": "cron.service\n",
    "nft": "",
    "iptables": "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
    "hosts-access": files(etc__hosts_dot_deny=""),
    "mac": "/sys/module/apparmor/parameters/enabled N\n",
    "apt": f"lists {NOW - 86_400 * 90}\nInst openssl [1.1.1] (1.1.1n Debian-Security:10/oldstable [amd64])\n"
    f"Inst vim [8.1] (8.2 Debian:10.13/stable)\n",
    "rpm": "",
    "time": files(etc__ntp_dot_conf="pool 0.debian.pool.ntp.org"),
    "limits": files(etc__security__limits_dot_conf="# nothing"),
    "profiles": files(etc__profile="umask 000\nPATH=/bin"),
    "account-modes": "666 root root /etc/passwd\n644 root root /etc/shadow\n444 bob root /etc/sudoers\n",
    "log-modes": "777 root root /var/log\n666 root root /var/log/auth.log\n",
    "cron-modes": "666 root root /etc/crontab\n777 bob root /etc/cron.d\n",
    "sysctl": "kernel/randomize_va_space = 0\nkernel/core_pattern = /tmp/core.%p\nfs/suid_dumpable = 1\n"
    "net/ipv4/tcp_syncookies = 0\n",
    "scan": counted("special 4755 root root /usr/bin/find", "special 4777 root root /opt/tool", "writable 777 root root /etc/app"),
    "shares": files(etc__exports="/ *(rw,no_root_squash)", etc__samba__smb_dot_conf="[global]\n[all]\n path = /\n guest ok = yes"),
    "securetty": files(etc__securetty="console\npts/0"),
    "modprobe": "-- /etc/modprobe.d/*.conf\n",
    "disks": "sda disk  \nsda1 part ext4 /\n\nFilename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n",
    "boot": "virtual yes\n",
    "integrity": "-- /etc/aide.conf\n-- /var/lib/aide/aide.db\n-- /etc/cron.daily/aide\n",
    "signatures": f"{NOW - 86_400 * 60} /var/lib/clamav/daily.cld\n",
    "programs": counted("/usr/sbin/in.telnetd", "/usr/bin/gcc"),
    "nginx-programs": counted(),
    "nginx": "-- /etc/nginx/nginx.conf\n",
}


def parts(texts: dict[str, str], **problems: str) -> dict[str, Part]:
    """As they are read. ``problems``: parts that could not be, with why; names with _ for -."""
    found = {name: Part(text, how=name) for name, text in texts.items()}
    return found | {name.replace("_", "-"): Part("", why) for name, why in problems.items()}
