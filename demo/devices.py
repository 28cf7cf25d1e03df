"""What firewalls, switches and security devices write, each in its maker's form, over syslog."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from kernel.event import SHANGHAI

LOCAL7_WARNING, LOCAL7_NOTICE, LOCAL7_INFO = 188, 189, 190
LOCAL0_NOTICE, LOCAL0_INFO, LOCAL1_INFO, MAIL_DEBUG, USER_WARNING = 133, 134, 142, 23, 12
"""Priorities (facility * 8 + severity) as these devices send them; Sangfor's is what the device really says."""

Flow = tuple[str, int, str, int]
"""Client address and port, server address and port."""


def usg_policy(moment: datetime, host: str, permit: bool, flow: Flow, zones: tuple[str, str]) -> bytes:
    """Huawei USG: a packet that a security policy permitted or denied. Huawei's own stamps are UTC and name no zone."""
    utc = moment.astimezone(UTC)
    source, source_port, target, port = flow
    brief = "POLICYPERMIT" if permit else "POLICYDENY"
    return (
        f"<{LOCAL7_WARNING}>{utc:%Y-%m-%d %H:%M:%S} {host} %%01SEC/4/{brief}(l): protocol=6, source-ip={source}, "
        f"source-port={source_port}, destination-ip={target}, destination-port={port}, time={utc:%Y/%m/%d %H:%M:%S}, "
        f"interzone-{zones[0]}(public)-{zones[1]}(public) inbound, policy={8 if permit else 0}."
    ).encode()


def usg_session(moment: datetime, host: str, flow: Flow, protocol: str) -> bytes:
    """Huawei USG session log: a connection was set up."""
    utc = moment.astimezone(UTC)
    source, source_port, target, port = flow
    return (
        f"<{LOCAL7_INFO}>{utc:%Y-%m-%d %H:%M:%S} {host} %%01SECLOG/6/SESSION_BUILT(l):IPVer={6 if ':' in source else 4},"
        f"Protocol={protocol},SourceIP={source},DestinationIP={target},SourcePort={source_port},DestinationPort={port},"
        f"BeginTime={int(utc.timestamp())},SourceVpnID=0,DestinationVpnID=0."
    ).encode()


def vrp_login_failed(moment: datetime, host: str, source: str, user: str, times: int) -> bytes:
    """Huawei VRP: a failed login to the device itself."""
    utc = moment.astimezone(UTC)
    return (
        f"<{LOCAL7_WARNING}>{utc:%b} {utc.day:2d} {utc:%Y %H:%M:%S} {host} %%01SHELL/4/LOGINFAILED(s)[{times}]:Failed to login. "
        f"(Ip={source}, UserName={user}, Times={times}, AccessType=SSH, VpnName=)"
    ).encode()


def vrp_command(moment: datetime, host: str, source: str, user: str, command: str) -> bytes:
    """Huawei VRP: a command that an administrator gave."""
    utc = moment.astimezone(UTC)
    detail = f'Task=VTY, Ip={source}, VpnName=, User={user}, AuthenticationMethod="Password", Command="{command}"'
    return (
        f"<{LOCAL7_NOTICE}>{utc:%b} {utc.day:2d} {utc:%Y %H:%M:%S} {host} "
        f"%%01SHELL/5/CMDRECORD(s)[7]:Recorded command information. ({detail})"
    ).encode()


def comware_filter(
    moment: datetime, host: str, permit: bool, flow: Flow, zones: tuple[str, str], mac: str = "", protocol: str = "TCP"
) -> bytes:
    """H3C Comware: packet filter of a security policy. ``mac`` is the sender's where it stands on the firewall's own network."""
    source, source_port, target, port = flow
    ip6 = ":" in source
    hexes = mac.replace(":", "")
    sender = f"SrcMacAddr(1021)={hexes[:4]}-{hexes[4:8]}-{hexes[8:]};" if mac else ""
    names = ("SrcIPv6Addr(1036)", "DstIPv6Addr(1037)") if ip6 else ("SrcIPAddr(1003)", "DstIPAddr(1007)")
    return (
        f"{_comware(moment, LOCAL7_INFO, host)} %%10FILTER/6/FILTER_ZONE_{'IPV6' if ip6 else 'IPV4'}_EXECUTION: "
        f"-Chassis=1-Slot=3.1; SrcZoneName(1025)={zones[0]};DstZoneName(1035)={zones[1]};Type(1067)=ACL;"
        f"SecurityPolicy(1072)=city-base;RuleID(1078)=12;Protocol(1001)={protocol};Application(1002)=other;"
        f"{names[0]}={source};SrcPort(1004)={source_port};{sender}"
        f"{names[1]}={target};DstPort(1008)={port};MatchCount(1069)=1;Event(1048)={'Permit' if permit else 'Deny'};"
    ).encode()


def comware_login(moment: datetime, host: str, source: str, user: str, failed: bool) -> bytes:
    """H3C Comware: somebody logged in to the device over SSH, or failed to."""
    brief, words = ("SSHS/5/SSHS_LOGIN_FAIL", "failed to log in") if failed else ("SHELL/5/SHELL_LOGIN", "logged in")
    return f"{_comware(moment, LOCAL7_NOTICE, host)} %%10{brief}: {user} {words} from {source}.".encode()


def comware_command(moment: datetime, host: str, source: str, user: str, command: str) -> bytes:
    """H3C Comware: a command that an administrator gave."""
    text = f"-Line=vty0-IPAddr={source}-User={user}; Command is {command}"
    return f"{_comware(moment, LOCAL7_INFO, host)} %%10SHELL/6/SHELL_CMD: {text}".encode()


def topsec_session(moment: datetime, host: str, accept: bool, flow: Flow, protocol: str = "tcp") -> bytes:
    """Topsec TOS: access control, a connection accepted or denied."""
    local = moment.astimezone(SHANGHAI)
    source, source_port, target, port = flow
    return (
        f'<{LOCAL0_INFO}>{local:%b} {local.day:2d} {local:%H:%M:%S} {host} id=tos time="{local:%Y-%m-%d %H:%M:%S}" fw={host} '
        f"pri=6 type=ac recorder=FW-NAT src={source} dst={target} sport={source_port} dport={port} proto={protocol} "
        f"indev=eth1 outdev=eth2 user= rule={'accept' if accept else 'deny'} connid={source_port * 7}"
    ).encode()


def sangfor_event(
    moment: datetime, host: str, flow: Flow, kind: str, url: str = "", severity: str = "低", denied: bool = True
) -> bytes:
    """Sangfor AF: the web application firewall met ``kind`` (with a URL), or intrusion prevention did."""
    local = moment.astimezone(SHANGHAI)
    source, source_port, target, port = flow
    verdict = "拒绝" if denied else "允许"
    ends = f"源IP:{source}, 源端口:{source_port}, 目的IP:{target}, 目的端口:{port}"
    if url:
        text = f"日志类型:WAF应用防护日志, {ends}, 攻击类型:{kind}, 严重级别:{severity}, 系统动作:{verdict}, URL:{url}"
    else:
        text = f"日志类型:IPS防护日志, {ends}, 协议:tcp, 攻击类型:{kind}, 漏洞名称:{kind}, 严重等级:{severity}, 动作:{verdict}"
    return f"<{MAIL_DEBUG}>{local:%b} {local.day:2d} {local:%H:%M:%S} {host} fwlog: {text}".encode()


def dptech_policy(moment: datetime, host: str, address: str, allow: bool, flow: Flow, protocol: int = 6) -> bytes:
    """DPtech: packet filter; ``protocol`` is the IANA number."""
    local = moment.astimezone(SHANGHAI)
    source, source_port, target, port = flow
    verdict = "Allow" if allow else "Deny"
    return (
        f"<{LOCAL1_INFO}> 1 {address} {local:%b} {local.day:2d} {local:%H:%M:%S %Y} {host} 54 "
        f"POLICY:{verdict} {protocol}|{source}|{source_port}|{target}|{port}|gige0_1|gige0_2"
    ).encode()


def bastion_command(
    moment: datetime, host: str, user: str, source: str, server: tuple[str, str], account: str, command: str
) -> bytes:
    """QZSEC bastion: a command given on a server (name, address) through it."""
    local = moment.astimezone(SHANGHAI)
    session = f"{int(moment.timestamp()) % 1_000_000:06d}"
    return (
        f"<{LOCAL0_NOTICE}>{local:%b} {local.day:2d} {local:%H:%M:%S} {host} node1:cmd(NOTICE)(id=SPR9ADXQE{session},"
        f"service=cmdcheck,action=confirm(pass),server={server[0]}({server[1]}),account={account},identity={user}({user}),from={source},command={command})"
    ).encode()


def qianxin_event(moment: datetime, host: str, address: str, user: str, name: str, severity: int, path: str) -> bytes:
    """Qianxin endpoint protection (TianQing), forwarded in Common Event Format."""
    local = moment.astimezone(SHANGHAI)
    return (
        f"<{LOCAL0_INFO}>{local:%b} {local.day:2d} {local:%H:%M:%S} ops-log-01 CEF:0|QIANXIN|TianQing|10.0|{1000 + severity}|"
        f"{name}|{severity}|rt={int(moment.timestamp() * 1000)} shost={host} src={address} suser={user} filePath={path} act=allow"
    ).encode()


def venustech_alert(moment: datetime, host: str, flow: Flow, number: int, subject: str, level: int) -> bytes:
    """Venustech intrusion detection: JSON behind a syslog header."""
    local = moment.astimezone(SHANGHAI)
    source, source_port, target, port = flow
    alert = {
        "dt": "VENUS_IDS_0700R0200B20140925112801",
        "level": level,
        "id": str(number),
        "type": "Alert Log",
        "time": int(moment.timestamp() * 1000),
        "source": {"ip": source, "port": source_port},
        "destination": {"ip": target, "port": port},
        "protocol": "TCP",
        "subject": subject,
        "message": "nic=1;",
    }
    head = f"<{USER_WARNING}>{local:%b} {local.day:2d} {local:%H:%M:%S} {host} : "
    return (head + json.dumps(alert, ensure_ascii=False)).encode()


def _comware(moment: datetime, priority: int, host: str) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"<{priority}>{local:%b} {local.day:2d} {local:%H:%M:%S %Y} {host}"
