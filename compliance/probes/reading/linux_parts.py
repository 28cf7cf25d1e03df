"""What is asked of a Linux host: fixed commands of ours, each of which only reads.

``show`` says files (links are followed), ``modes`` their owners and permissions. Both say of each path what came of it, so that
silence is never "nothing there": ``--`` no such file, ``!!`` the login may not look, ``~~`` longer than is read. ``counted`` ends
a list with ``== done`` and its number of lines, but only where what made the list came to its end. Not used, since they change
something: ``ss``, ``iptables`` (load kernel modules), ``dnf``, ``rpm``, ``nginx -T`` (logs, locks), ``apt-get`` without the options
below (builds a cache).
"""

from __future__ import annotations

from typing import NamedTuple

MOST = 524_288
"""Octets of a part; what is longer is not judged."""
NOT_THERE = 66
"""Exit code of a part whose program or file the host does not have."""

PRELUDE = r"""
blind() { # whether a path cannot be looked for: one of its folders may not be searched or listed
    d=${1%/*}
    while [ -n "$d" ] && [ ! -d "$d" ]; do d=${d%/*}; done
    [ -n "$d" ] && { [ ! -x "$d" ] || [ ! -r "$d" ]; }
}
show() {
    for f do
        if [ -f "$f" ] && [ -r "$f" ] && head -c 1 -- "$f" >/dev/null 2>&1; then
            size=$(head -c 262145 -- "$f" | wc -c)
            if [ $size -le 262144 ] 2>/dev/null; then
                printf '== %s\n' "$f"
                { head -c 262144 -- "$f" | sed 's/^/| /' && echo; } || printf '!! %s\n' "$f"
            else printf '~~ %s\n' "$f"; fi
        elif [ -f "$f" ] || blind "$f"; then printf '!! %s\n' "$f"
        else printf '%s\n' "-- $f"; fi
    done
}
modes() {
    for f do
        if [ -e "$f" ]; then stat -L -c '%a %U %G %n' -- "$f" || printf '!! %s\n' "$f"
        elif blind "$f"; then printf '!! %s\n' "$f"
        else printf '%s\n' "-- $f"; fi
    done
}
counted() { # what makes the list says "== ended" as its last line
    awk '{ if (NR > 1) print last; last = $0 } END { if (last != "== ended") exit 1; print "== done " NR - 1 }'
}
need() { command -v "$1" >/dev/null 2>&1 || exit 66; }
"""


class Ask(NamedTuple):
    """A part: ``command`` for sh(1) with ``show``, ``modes`` and ``need``; ``how``: what a person would type."""

    command: str
    how: str
    seconds: int = 15


_SHADOW = r"""[ -e /etc/shadow ] || exit 66
[ -r /etc/shadow ] || { echo "the login may not read /etc/shadow" >&2; exit 1; }
awk -F: '{ p = $2; k = "des"
    if (p == "") k = "empty"
    else if (p ~ /^[!*]/) k = "locked"
    else if (p ~ /^\$/) { split(p, a, "$"); k = a[2] }
    else if (p ~ /^_/) k = "bsdi"
    print $1 ":" k ":" $3 ":" $4 ":" $5 ":" $6 ":" $7 ":" $8 }' /etc/shadow"""
_SSHD = """for one in sshd /usr/sbin/sshd /usr/local/sbin/sshd; do
    command -v "$one" >/dev/null 2>&1 && exec "$one" -T
done
exit 66"""
_NFT = """grep -qw nf_tables_newrule /proc/kallsyms || exit 66
need nft
exec nft list ruleset"""
_IPTABLES = """[ -s /proc/net/ip_tables_names ] || exit 66
need iptables-save
exec iptables-save"""
_APT = """need apt-get
echo "lists $(stat -c %Y /var/lib/apt/lists/*Packages* /var/lib/apt/lists/*InRelease 2>/dev/null | sort -n | tail -n 1)"
exec apt-get -s -q -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Debug::NoLocking=true \
    -o APT::Get::Show-User-Simulation-Note=false upgrade"""
_RPM = """for one in /var/lib/rpm/rpmdb.sqlite /usr/lib/sysimage/rpm/rpmdb.sqlite /var/lib/rpm/Packages.db /var/lib/rpm/Packages; do
    [ -e "$one" ] && exec stat -c '%Y %n' "$one"
done
exit 66"""
_SCAN = r"""[ "$(id -u)" = 0 ] || { echo "only root sees all files" >&2; exit 1; }
need find; need stat; need awk; need sed
nice=
command -v nice >/dev/null 2>&1 && nice="nice -n 19"
awk '{ kind[$2] = $3 } END { for (at in kind) print kind[at], at }' /proc/self/mounts | {
    exec 3>&1
    set -- -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /var/lib/docker -o -path /var/lib/containerd
    mounts=0
    while read -r kind at; do
        mounts=$((mounts + 1))
        case $at in
            / | /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | /run | /run/* | /var/lib/docker/* | /var/lib/containerd/*)
                continue ;;
        esac
        case $kind in
            ext[234] | xfs | btrfs | f2fs | jfs | reiserfs | zfs | bcachefs | vfat | msdos | exfat | ntfs | ntfs3 | fuseblk | \
            overlay | aufs | tmpfs | ramfs | squashfs | erofs | iso9660 | udf | hfsplus | ubifs | jffs2) continue ;;
            proc | sysfs | devtmpfs | devpts | cgroup | cgroup2 | mqueue | hugetlbfs | debugfs | tracefs | securityfs | \
            selinuxfs | pstore | efivarfs | bpf | configfs | fusectl | autofs | binfmt_misc | rpc_pipefs | nfsd | nsfs | \
            fuse.lxcfs | fuse.gvfsd-fuse | fuse.portal) ;;
            *) printf 'unseen %s %s\n' "$kind" "$at" ;;
        esac
        path=$(printf '%b.' "$at"); path=${path%.}
        case $path in *[]*?[\\]*) path=$(printf '%s.' "$path" | sed 's/[]*?[\\]/\\&/g'); path=${path%.} ;; esac
        set -- "$@" -o -path "$path"
    done
    [ "$mounts" != 0 ] || { echo "the host does not say its mounts" >&2; exit 1; }
    told=$({ $nice find / \( "$@" \) -prune -o -type f \( -perm -4000 -o -perm -2000 \) -exec stat -c 'special %a %U %G %n' {} + \
        -o \( -type f -perm -0002 -o -type d -perm -0002 ! -perm -1000 \) -exec stat -c 'writable %a %U %G %n' {} + >&3
        echo "code $?"; } 2>&1 | awk '/^code [0-9]+$/ { print; next }
        /: No such file or directory$/ || /^find: File system loop detected/ { next }
        n++ < 3')
    case $told in "code 0" | "code 1") echo "== ended" ;; *) printf '%s\n' "$told" >&2 ;; esac
} | counted"""
"""All file systems but those that are no files of the host's (kernel, containers): what is reached over a network, or of a kind
that is not known, is named ``unseen`` and not entered. Files that are gone before they are looked at are no complaint, nor is a
folder that is looked at in another place (a loop)."""
_SOCKETS = r"""need awk
for f in tcp tcp6 udp udp6; do
    [ -r /proc/net/$f ] || continue
    echo "== /proc/net/$f"
    awk 'NR == 1 || $4 == "0A" || $4 == "07" { print "| " $0 }' /proc/net/$f
done; exit 0"""
"""Only what listens: a busy host has more connections than a part can hold."""
_PROGRAMS = """{ for one in telnetd in.telnetd vsftpd proftpd pure-ftpd in.ftpd in.rshd in.rlogind rpc.ypbind ypserv in.tftpd \
    tftpd xinetd inetd avahi-daemon cupsd rpcbind Xorg gcc cc tcpdump nmap nc
    do command -v "$one"; done; echo "== ended"; } | counted"""
_NGINX_PROGRAMS = """{ for one in nginx openresty tengine /usr/local/nginx/sbin/nginx /usr/local/openresty/nginx/sbin/nginx \
    /opt/nginx/sbin/nginx; do command -v "$one"; done; echo "== ended"; } | counted"""
_UNITS = """for one in /etc/systemd/system/*.wants/* /etc/rc3.d/S* /etc/rc.d/rc3.d/S*; do
    if [ -e "$one" ] || [ -L "$one" ]; then echo "${one##*/}"; fi
done | sort -u"""
_MAC = """for one in /sys/fs/selinux/enforce /sys/module/apparmor/parameters/enabled; do
    [ -r "$one" ] && echo "$one $(cat "$one")"
done
if [ -r /sys/kernel/security/apparmor/profiles ]; then
    echo "enforced $(grep -c '(enforce)' /sys/kernel/security/apparmor/profiles)"
fi
show /etc/selinux/config"""
_PROCESSES = """[ -r /proc/1/comm ] || { echo "the login may not see all processes" >&2; exit 1; }
cat /proc/[0-9]*/comm 2>/dev/null | sort -u; exit 0"""
_SYSCTL = """for one in kernel/randomize_va_space kernel/core_pattern kernel/kptr_restrict kernel/dmesg_restrict fs/suid_dumpable \
    fs/protected_symlinks fs/protected_hardlinks net/ipv4/ip_forward net/ipv4/tcp_syncookies net/ipv4/conf/all/accept_redirects \
    net/ipv4/conf/all/send_redirects net/ipv4/conf/all/accept_source_route net/ipv4/icmp_echo_ignore_broadcasts \
    net/ipv6/conf/all/accept_redirects; do
    [ -r "/proc/sys/$one" ] && echo "$one = $(cat "/proc/sys/$one")"
done; exit 0"""
_BOOT = """[ -d /sys/firmware/efi ] && echo "efi yes"
for one in /sys/firmware/efi/efivars/SecureBoot-*; do
    [ -r "$one" ] && echo "secure_boot $(od -An -tu1 -j4 -N1 "$one" | tr -d ' ')"
done
for one in /sys/class/tpm/tpm*; do [ -e "$one" ] && echo "tpm ${one##*/}"; done
[ -r /sys/kernel/security/ima/runtime_measurements_count ] && \
    echo "ima $(cat /sys/kernel/security/ima/runtime_measurements_count)"
echo "virtual $(grep -qw hypervisor /proc/cpuinfo && echo yes || echo no)"; exit 0"""
_SIGNATURES = """for one in /var/lib/clamav/*.cld /var/lib/clamav/*.cvd /usr/local/share/clamav/*.c[lv]d; do
    [ -e "$one" ] && stat -L -c '%Y %n' "$one"
done; exit 0"""

_HIDING = r"""sed -E 's/((proxy_set_header|fastcgi_param|uwsgi_param|set|env) +[^ ;]*"""
_HIDING += r"""([Aa]uthorization|[Pp]assw|[Tt]oken|[Ss]ecret|[Kk]ey)[^ ;]*) +("[^"]*"|[^;"])*;/\1 hidden;/g'"""

PARTS: dict[str, Ask] = {
    "os": Ask("cat /etc/os-release 2>/dev/null; uname -r; exit 0", "cat /etc/os-release; uname -r"),
    "clock": Ask("date +%s", "date +%s"),
    "accounts": Ask("show /etc/passwd", "cat /etc/passwd"),
    "groups": Ask("show /etc/group", "cat /etc/group"),
    "shadow": Ask(_SHADOW, "/etc/shadow, without the hashes"),
    "login-defs": Ask("show /etc/login.defs /usr/etc/login.defs", "cat /etc/login.defs"),
    "pam": Ask(
        "show /etc/pam.d/* /usr/lib/pam.d/* /etc/security/pwquality.conf /etc/security/pwquality.conf.d/*.conf "
        "/etc/security/faillock.conf /etc/security/pwhistory.conf",
        "cat /etc/pam.d/* /etc/security/*.conf",
    ),
    "sshd": Ask(_SSHD, "sshd -T"),
    "sshd-files": Ask("show /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf", "cat /etc/ssh/sshd_config"),
    "audit-rules": Ask("need auditctl; exec auditctl -l", "auditctl -l"),
    "audit-status": Ask("need auditctl; exec auditctl -s", "auditctl -s"),
    "audit-files": Ask(
        "show /etc/audit/auditd.conf /etc/audit/audit.rules /etc/audit/rules.d/*.rules",
        "cat /etc/audit/auditd.conf /etc/audit/rules.d/*",
    ),
    "syslog": Ask(
        "show /etc/rsyslog.conf /etc/rsyslog.d/*.conf /etc/syslog-ng/syslog-ng.conf /etc/syslog-ng/conf.d/*.conf "
        "/etc/systemd/journal-upload.conf /etc/systemd/journald.conf /etc/systemd/journald.conf.d/*.conf",
        "cat /etc/rsyslog.conf /etc/rsyslog.d/*.conf",
    ),
    "logrotate": Ask("show /etc/logrotate.conf /etc/logrotate.d/*", "cat /etc/logrotate.conf /etc/logrotate.d/*"),
    "sudoers": Ask("show /etc/sudoers /etc/sudoers.d/*", "cat /etc/sudoers /etc/sudoers.d/*"),
    "sockets": Ask(_SOCKETS, "cat /proc/net/tcp* /proc/net/udp*; ss -ltnu"),
    "processes": Ask(_PROCESSES, "ps -eo comm"),
    "units": Ask(_UNITS, "systemctl list-unit-files --state=enabled"),
    "nft": Ask(_NFT, "nft list ruleset"),
    "iptables": Ask(_IPTABLES, "iptables-save"),
    "hosts-access": Ask("show /etc/hosts.allow /etc/hosts.deny", "cat /etc/hosts.allow /etc/hosts.deny"),
    "mac": Ask(_MAC, "getenforce; aa-status"),
    "apt": Ask(_APT, "apt-get -s upgrade", 60),
    "rpm": Ask(_RPM, "rpm -qa --last | head"),
    "time": Ask(
        "show /etc/chrony.conf /etc/chrony.d/*.conf /etc/chrony/chrony.conf /etc/chrony/conf.d/*.conf "
        "/etc/chrony/sources.d/*.sources /etc/ntp.conf "
        "/etc/ntpsec/ntp.conf /etc/systemd/timesyncd.conf /etc/systemd/timesyncd.conf.d/*.conf "
        "/usr/lib/systemd/timesyncd.conf",
        "cat /etc/chrony.conf; chronyc sources; timedatectl",
    ),
    "limits": Ask(
        "show /etc/security/limits.conf /etc/security/limits.d/*.conf /etc/systemd/coredump.conf "
        "/etc/systemd/coredump.conf.d/*.conf",
        "cat /etc/security/limits.conf /etc/systemd/coredump.conf",
    ),
    "profiles": Ask(
        "show /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc /etc/bashrc",
        "cat /etc/profile /etc/profile.d/*.sh /etc/bashrc",
    ),
    "account-modes": Ask(
        "modes /etc/passwd /etc/passwd- /etc/group /etc/group- /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/sudoers "
        "/etc/ssh/sshd_config /etc/ssh/ssh_host_*_key /boot/grub/grub.cfg /boot/grub2/grub.cfg /etc/pam.d /etc/security",
        "stat -L -c '%a %U %G %n' /etc/passwd /etc/shadow …",
    ),
    "log-modes": Ask(
        "modes /var/log /var/log/audit /var/log/audit/audit.log* /var/log/auth.log* /var/log/secure* /var/log/syslog* "
        "/var/log/messages* /var/log/cron* /var/log/wtmp /var/log/btmp /var/log/lastlog /var/log/faillog",
        "stat -L -c '%a %U %G %n' /var/log/auth.log /var/log/secure …",
    ),
    "cron-modes": Ask(
        "modes /etc/crontab /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly "
        "/etc/cron.allow /etc/cron.deny /etc/cron.d/* /etc/at.allow /etc/at.deny",
        "stat -L -c '%a %U %G %n' /etc/crontab /etc/cron.*",
    ),
    "sysctl": Ask(_SYSCTL, "sysctl -a"),
    "scan": Ask(_SCAN, "find / -type f -perm /6000; find / -perm -0002 ! -type l", 120),
    "shares": Ask("show /etc/exports /etc/exports.d/*.exports /etc/samba/smb.conf", "cat /etc/exports /etc/samba/smb.conf"),
    "securetty": Ask("show /etc/securetty", "cat /etc/securetty"),
    "modprobe": Ask("show /etc/modprobe.d/*.conf", "cat /etc/modprobe.d/*.conf"),
    "disks": Ask("need lsblk; lsblk -rno NAME,TYPE,FSTYPE,MOUNTPOINT; echo; cat /proc/swaps", "lsblk; cat /proc/swaps"),
    "boot": Ask(_BOOT, "mokutil --sb-state; ls /sys/class/tpm"),
    "integrity": Ask(
        "modes /etc/aide.conf /etc/aide/aide.conf /var/lib/aide/aide.db /var/lib/aide/aide.db.gz /etc/cron.daily/aide "
        "/etc/cron.daily/dailyaidecheck /etc/tripwire/tw.cfg /etc/samhainrc; "
        "grep -ls aide /etc/crontab /etc/cron.d/* /var/spool/cron/* /var/spool/cron/crontabs/* | sed 's/^/cron /'; exit 0",
        "ls -l /etc/aide* /var/lib/aide",
    ),
    "signatures": Ask(_SIGNATURES, "freshclam --version; stat /var/lib/clamav/*"),
    "programs": Ask(_PROGRAMS, "command -v telnetd vsftpd xinetd …"),
    "nginx-programs": Ask(_NGINX_PROGRAMS, "command -v nginx openresty tengine"),
    "nginx": Ask(
        "show /etc/nginx/nginx.conf /etc/nginx/conf.d/* /etc/nginx/sites-enabled/* /etc/nginx/modules-enabled/* "
        "/etc/nginx/snippets/* "
        "/usr/local/nginx/conf/*.conf /usr/local/nginx/conf/*/*.conf /usr/local/openresty/nginx/conf/*.conf | " + _HIDING,
        "nginx -T",
    ),
}
