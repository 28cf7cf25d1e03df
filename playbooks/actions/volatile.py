"""What is asked of a host that is looked into: fixed commands of ours, which only read; alternatives where tools differ.

The order is that of RFC 3227, 2.1: what passes soonest comes first. Kernel modules stand before sockets, since ``ss`` may have the
kernel load the module that it asks.
"""

from __future__ import annotations

from typing import NamedTuple

MOST = 524_288
"""Octets of a part; what is longer is cut off there, and the manifest says so."""


class Alternative(NamedTuple):
    """``command`` for sh(1), tried where there is a ``program`` of this name, or a file of this path that can be read."""

    program: str
    command: str


class Part(NamedTuple):
    """One thing that is asked; the first alternative that succeeds ends it."""

    name: str
    alternatives: tuple[Alternative, ...]


_EACH_PROCESS = """for one in /proc/[0-9]*; do
    echo "== ${one#/proc/}"
    grep -E '^(Name|State|PPid|Uid|Gid):' "$one/status"
    tr '\\0' ' ' <"$one/cmdline"; echo
done 2>/dev/null; true"""
_EXECUTABLES = """for one in /proc/[0-9]*; do
    to=$(readlink "$one/exe") && echo "${one#/proc/} $to"
done 2>/dev/null; true"""
_DELETED = """for one in /proc/[0-9]*; do
    ls -l "$one/fd" 2>/dev/null | grep ' (deleted)$' | sed "s|^|${one#/proc/} |"
done; true"""
_CRON = """for one in /etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* \\
    /etc/cron.monthly/* /var/spool/cron/* /var/spool/cron/crontabs/* /etc/crontabs/*; do
    [ -f "$one" ] || continue
    echo "== $one"
    cat -- "$one"
done"""


def _part(name: str, *alternatives: tuple[str, str]) -> Part:
    return Part(name, tuple(Alternative(*one) for one in alternatives))


PARTS: tuple[Part, ...] = (
    _part("clock", ("date", "date '+%Y-%m-%dT%H:%M:%SZ'")),
    _part("uptime", ("/proc/uptime", "cat /proc/uptime /proc/loadavg")),
    _part("system", ("uname", "uname -a; cat /etc/os-release /proc/sys/kernel/hostname /proc/cmdline")),
    _part(
        "processes",
        ("ps", "ps -ww -eo pid,ppid,pgid,sess,uid,user,lstart,stat,tty,args"),
        ("/proc/self/status", _EACH_PROCESS),
    ),
    _part("executables", ("/proc/self/status", _EXECUTABLES)),
    _part("modules", ("/proc/modules", "cat /proc/modules")),
    _part(
        "sockets",
        ("ss", "ss -tunap"),
        ("netstat", "netstat -tunap"),
        ("/proc/net/tcp", "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6"),
    ),
    _part("packet-sockets", ("/proc/net/packet", "cat /proc/net/packet /proc/net/raw /proc/net/raw6")),
    _part(
        "neighbours",
        ("ip", "ip -4 neigh show && ip -6 neigh show"),
        ("arp", "arp -an"),
        ("/proc/net/arp", "cat /proc/net/arp"),
    ),
    _part(
        "routes",
        ("ip", "ip -4 route show table all && ip -6 route show table all"),
        ("/proc/net/route", "cat /proc/net/route /proc/net/ipv6_route"),
    ),
    _part(
        "addresses",
        ("ip", "ip -4 addr show && ip -6 addr show && ip link show"),
        ("ifconfig", "ifconfig -a"),
        ("/proc/net/dev", "cat /proc/net/dev /proc/net/fib_trie /proc/net/if_inet6"),
    ),
    _part("logged-in", ("who", "who -a"), ("w", "w"), ("loginctl", "loginctl --no-pager list-sessions")),
    _part("deleted-files", ("lsof", "lsof -nP +L1"), ("/proc/self/status", _DELETED)),
    _part("mounts", ("/proc/self/mountinfo", "cat /proc/self/mountinfo")),
    _part(
        "last-logins",
        ("last", "last -F -i -w -n 1000"),
        ("last", "last"),
        ("wtmpdb", "wtmpdb last"),
        ("journalctl", "journalctl --no-pager -q -n 1000 -o short-iso _COMM=sshd"),
    ),
    _part("failed-logins", ("lastb", "lastb -F -i -w -n 1000"), ("lastb", "lastb")),
    _part("timers", ("systemctl", "systemctl --no-pager --all list-timers")),
    _part("services", ("systemctl", "systemctl --no-pager --all list-units --type=service")),
    _part("cron", ("/etc", _CRON)),
)
