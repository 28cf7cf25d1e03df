/*
  Attack tools, miners and test files. Written by Liandun, Apache-2.0.
*/

rule liandun_demo_file
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a05"
        description = "The harmless test file of Liandun's demo"
        description_zh = "莲盾演示的无害测试文件"
        author = "Liandun"
        date = "2026-11-23"
        level = "medium"
        attack = "T1105"
    strings:
        $mark = "LIANDUN-DEMO-TEST-FILE"
    condition:
        filesize < 1MB and $mark
}

rule eicar_test_file
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a06"
        description = "The EICAR anti-malware test file: harmless, shows that the path from the wire to the scanner works"
        description_zh = "EICAR 防病毒测试文件"
        author = "Liandun"
        date = "2026-11-23"
        level = "medium"
        reference = "https://www.eicar.org/download-anti-malware-testfile/"
    strings:
        // a pattern with a gap, so that no scanner takes this rule for the file
        $test = /X5O!P%@AP\[4.PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD-[A-Z]{9}-TEST-FILE!\$H\+H\*/
    condition:
        filesize < 4KB and $test in (0..128)
}

rule credential_dumper_words
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a07"
        description = "Commands of mimikatz and tools built on it, plain or as UTF-16"
        description_zh = "凭据窃取工具命令"
        author = "Liandun"
        date = "2026-11-23"
        level = "critical"
        attack = "T1003.001"
        reference = "https://attack.mitre.org/software/S0002/"
    strings:
        $a = /sekurlsa::(logonpasswords|minidump|pth|tickets)/ ascii wide nocase
        $b = /lsadump::(sam|lsa|dcsync|secrets|cache)/ ascii wide nocase
        $c = /kerberos::(ptt|golden|list)/ ascii wide nocase
        $d = /privilege::[d]ebug/ ascii wide nocase
        $e = /gentil[k]iwi/ ascii wide nocase
    condition:
        2 of them
}

rule miner_configuration
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a08"
        description = "Configuration or command line of a RandomX/CryptoNight miner"
        description_zh = "挖矿程序配置"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1496"
        reference = "https://attack.mitre.org/techniques/T1496/"
    strings:
        $pool = /stratum\+(tcp|ssl):\/\/[\w.-]{4,80}:\d{2,5}/ nocase
        $donate = /"?donate-level"?\s*[:= ]\s*\d/
        $algorithm = /"?algo"?\s*[:= ]\s*"?(rx\/|cn\/|cryptonight|randomx)/ nocase
        $threads = /"?(max-threads-hint|cpu-priority|huge-pages)"?\s*[:= ]/
        $wallet = /\b4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b/
    condition:
        filesize < 16MB and ($pool or $wallet) and 1 of ($donate, $algorithm, $threads)
}

rule reverse_shell_script
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a09"
        description = "Script that ties a shell to a network connection (bash, python, perl, PHP)"
        description_zh = "反弹 Shell 脚本"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1059.004"
        reference = "https://attack.mitre.org/techniques/T1059/004/"
    strings:
        $bash = /(ba)?sh\s+-i\s*[>&0-9]+\s*\/dev\/(tcp|udp)\/[\w.:-]+\/\d+/
        $python = /socket\.socket\([^\n]{0,400}dup2\([^\n]{0,400}(subprocess|pty\.spawn|os\.system)/
        $perl = /use\s+Socket;[^\n]{0,400}exec\s*\{?\s*["']\/bin\/(ba)?sh/
        $php = /fsockopen\s*\([^\n]{0,200}(proc_open|exec|shell_exec)\s*\(/
    condition:
        filesize < 512KB and any of them
}

rule tunnel_configuration
{
    meta:
        id = "ea3d9d20-48ec-4042-9e19-cfdf06744ffa"
        description = "Configuration of a tunnel tool (frp, nps, chisel, Stowaway) that opens a way in from outside"
        description_zh = "内网穿透工具配置（frp、nps、chisel、Stowaway）"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1572, T1090"
        reference = "https://attack.mitre.org/techniques/T1572/"
    strings:
        $frp_server = /\bserver_?[aA]ddr\s*=\s*["']?[\w.:\[\]-]{3,}/
        $frp_port = /\bserver_?[pP]ort\s*=\s*\d{2,5}/
        $frp_proxy = /\bremote_?[pP]ort\s*=\s*\d{1,5}/
        $frp_plugin = /\bplugin\s*=\s*["']?(socks5|http_proxy)/
        $nps_server = /\bserver_addr\s*=\s*[\w.:\[\]-]{3,}:\d{2,5}/
        $nps_key = /\bvkey\s*=\s*\w{4,}/
        $chisel = /\bchisel\s+client\s+[^\n]{4,120}\bR:/
        $stowaway = /_agent\s+-c\s+[\w.\[\]:]+:\d{2,5}\s+-s\s+\S+\s+(--reconnect|--rhost|-x)/
    condition:
        filesize < 64KB and (($frp_server and $frp_port and ($frp_proxy or $frp_plugin)) or ($nps_server and $nps_key) or $chisel or $stowaway)
}

rule tunnel_program
{
    meta:
        id = "2d4579fe-90cf-4f1d-a7e3-deeab99a14f8"
        description = "Program built from a tunnel tool's sources (names of its Go packages)"
        description_zh = "由隧道工具源码编译的程序"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1572"
        reference = "https://attack.mitre.org/techniques/T1572/"
    strings:
        $frp = /github\.com\/fatedier\/frp\/(client|pkg|server)/
        $nps = /ehang\.io\/nps\/(client|lib|bridge)/
        $chisel = /github\.com\/jpillora\/chisel\/(client|share)/
        $stowaway = /Stowaway\/(agent|admin|protocol|share)/
        $iox = /\x00?iox\/(operate|netio|option)/
        $ligolo = /ligolo-ng\/(cmd|pkg)/
    condition:
        (uint32(0) == 0x464c457f or uint16(0) == 0x5a4d) and filesize < 64MB and (#frp > 3 or #nps > 3 or #chisel > 3 or #stowaway > 3 or #iox > 3 or #ligolo > 3)
}

rule beacon_configuration
{
    meta:
        id = "46d1d9af-3dd4-40f3-951b-c8cc9eddb5e7"
        description = "Settings block of a Cobalt Strike beacon, in clear or under its usual one-byte keys"
        description_zh = "Cobalt Strike Beacon 配置块"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1071.001, T1573"
        reference = "https://attack.mitre.org/software/S0154/"
    strings:
        // three settings in a row: number 1 (kind 1, 2 bytes), number 2 (kind 1, 2 bytes), number 3 (kind 2, 4 bytes); under key 0x2e (version 4) and 0x69 (version 3)
        $clear = { 00 01 00 01 00 02 ?? ?? 00 02 00 01 00 02 ?? ?? 00 03 00 02 00 04 }
        $key_2e = { 2e 2f 2e 2f 2e 2c ?? ?? 2e 2c 2e 2f 2e 2c ?? ?? 2e 2d 2e 2c 2e 2a }
        $key_69 = { 69 68 69 68 69 6b ?? ?? 69 6b 69 68 69 6b ?? ?? 69 6a 69 6b 69 6d }
    condition:
        filesize < 16MB and any of them
}

rule packed_elf
{
    meta:
        id = "539bc950-fc1a-4092-aac3-07276f67594e"
        description = "ELF program packed with UPX (also with its mark changed in the usual way)"
        description_zh = "UPX 加壳的 ELF 程序"
        author = "Liandun"
        date = "2026-11-25"
        level = "medium"
        attack = "T1027.002"
        reference = "https://attack.mitre.org/techniques/T1027/002/"
    strings:
        $mark = "UPX!"
        $note = "$Info: This file is packed with the UPX executable packer"
    condition:
        uint32(0) == 0x464c457f and filesize < 16MB and ($note or #mark > 1 or (#mark > 0 and $mark in (0..512)))
}

rule script_carries_program
{
    meta:
        id = "5f1bfb25-5eef-4f8d-bde5-4e17c7836f95"
        description = "Script that holds a program as encoded text, unpacks it and runs it"
        description_zh = "内嵌编码程序并释放执行的脚本"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1027, T1059"
        reference = "https://attack.mitre.org/techniques/T1027/"
    strings:
        $elf = /f0[V]MR/
        $pe = /TV[qpro]QAA[A-Za-z0-9+\/]{60}/
        $decode = /(base64\s+(-d|--decode|-D)|FromBase64String|b64decode|base64_decode|certutil\s+-decode)/ nocase
        $write = /(>\s*\/?(tmp|var\/tmp|dev\/shm)\/|WriteAllBytes|open\s*\([^\n]{1,80}["']wb["']|\$env:temp|%temp%)/ nocase
        $run = /(chmod\s+(\+x|7\d\d)|Start-Process|subprocess|os\.system|Assembly\]::Load|Invoke-Expression|memfd_create)/ nocase
    condition:
        filesize < 16MB and uint16(0) != 0x5a4d and uint32(0) != 0x464c457f and ($elf or $pe) and $decode and $write and $run
}

rule program_destroys_backups
{
    meta:
        id = "975d8cba-c0ba-4e79-848f-dfc9b2829097"
        description = "Program that deletes shadow copies, backups and recovery, as ransomware does"
        description_zh = "删除卷影副本与备份的程序（勒索行为）"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1490, T1486"
        reference = "https://attack.mitre.org/techniques/T1490/"
    strings:
        $shadows = /vssadmin(\.exe)?\s+delete\s+shadows/ ascii wide nocase
        $wmic = /wmic(\.exe)?\s+shadowcopy\s+delete/ ascii wide nocase
        $bcdedit = /bcdedit(\.exe)?\s+\/set\s+\{default\}\s+(recoveryenabled\s+no|bootstatuspolicy)/ ascii wide nocase
        $wbadmin = /wbadmin(\.exe)?\s+delete\s+(catalog|systemstatebackup)/ ascii wide nocase
        $services = /(net\s+stop|sc\s+config|taskkill\s+\/f?)[^\n]{0,40}(sql|oracle|mysql|backup|veeam|vss|dmserver|kingbase)/ ascii wide nocase
        $encrypt = /(CryptGenKey|BCryptEncrypt|CryptEncrypt|chacha20|AES-256)/ ascii wide
    condition:
        uint16(0) == 0x5a4d and filesize < 32MB and (2 of ($shadows, $wmic, $bcdedit, $wbadmin) or (1 of ($shadows, $wmic, $bcdedit, $wbadmin) and $services and $encrypt))
}

rule memory_of_lsass
{
    meta:
        id = "cf9e4f42-04fb-4856-93c7-0a70c92c2150"
        description = "Memory dump of the Windows logon process: it holds passwords and hashes"
        description_zh = "LSASS 进程内存转储文件"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1003.001"
        reference = "https://attack.mitre.org/techniques/T1003/001/"
    strings:
        $name = "lsass.exe" wide nocase
        $library = "lsasrv.dll" wide nocase
    condition:
        uint32(0) == 0x504d444d and $name and $library
}

rule copy_of_password_store
{
    meta:
        id = "a3d1165a-531a-4dec-81f0-3b05c05c6f96"
        description = "Copy of the Windows password stores: SAM or SECURITY hive, or the directory database"
        description_zh = "Windows 口令库副本（SAM、SECURITY 或 NTDS.dit）"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1003.002, T1003.003"
        reference = "https://attack.mitre.org/techniques/T1003/002/"
    strings:
        // a hive tells the end of its path in its head (offset 48, UTF-16)
        $sam = "\\config\\SAM" wide nocase
        $security = "\\config\\SECURITY" wide nocase
        $accounts = "\\Domains\\Account" wide
        $ntds = "ntds.dit" wide nocase
        $table = "sd_table"
        $link = "link_table"
    condition:
        (uint32(0) == 0x66676572 and (any of ($sam, $security) in (48..176) or $accounts)) or (uint32(4) == 0x89abcdef and $table and $link and ($ntds or filesize > 8MB))
}
