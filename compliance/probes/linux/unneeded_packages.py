"""Servers have no compilers, sniffers, desktops and old network services."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable

_DANGEROUS = (
    "telnetd", "in.telnetd", "in.rshd", "in.rlogind", "in.ftpd", "in.tftpd", "tftpd", "xinetd", "inetd", "ypserv", "rpc.ypbind",
)  # fmt: skip
_DOUBTFUL = ("vsftpd", "proftpd", "pure-ftpd", "avahi-daemon", "cupsd", "rpcbind", "Xorg", "gcc", "cc", "tcpdump", "nmap", "nc")


def _judge(facts: Facts) -> Judgement:
    paths = facts.counted("programs")
    if not all(path.startswith("/") for path in paths):
        raise Unreadable("programs names what is no path", "programs 含有不是路径的内容")
    bad = [path for path in paths if path.rpartition("/")[2] in _DANGEROUS]
    return judgement(bad, [path for path in paths if path.rpartition("/")[2] in _DOUBTFUL])


PROBE = Probe(
    id="host.packages.unneeded",
    way="host.packages",
    source="linux",
    items=("8.1.4.4.a",),
    reads=("programs",),
    title=Text("Programs that a server does not need", "非必要组件"),
    criterion=Text(
        "old network services are not installed; compilers, sniffers, desktops and printing only where they are needed",
        "未安装过时网络服务；编译器、抓包、图形界面与打印组件仅在确有需要时存在",
    ),
    to_be_confirmed=True,
    reproduce="command -v telnetd xinetd gcc tcpdump …; dpkg -l; rpm -qa",
    judge=_judge,
)
