/*
  Malware for devices, and what abuses controllers and their engineering. Written by Liandun, Apache-2.0.
*/

rule device_bot_binary
{
    meta:
        id = "0dd6a32c-c059-4534-97bf-c82d73d9c869"
        description = "Program for Linux devices that guesses Telnet passwords, kills rivals and floods (Mirai and its descendants)"
        description_zh = "感染摄像头与路由器的僵尸程序（Mirai 及变种）"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1498, T1110.001"
        reference = "https://attack.mitre.org/software/"
    strings:
        $busybox = "/bin/busybox "
        $watchdog = "/dev/watchdog"
        $watchdog_misc = "/dev/misc/watchdog"
        $tcp_table = "/proc/net/tcp"
        $prompt = /\x00(ssword|ogin|enter|ncorrect)\x00/
        $shell = /\x00(enable|system|shell|linuxshell)\x00(system|shell|sh|enable)\x00/
        $default_password = /\x00(xc3511|vizxv|juantech|7ujMko0admin|klv123|hi3518|xmhdipc)\x00/
        $exploit_huawei = "/ctrlt/DeviceUpgrade_1"
        $exploit_realtek = "/picsdesc.xml"
        $exploit_gpon = "/GponForm/diag_Form"
        $flood = /(udpplain|tcp(ack|syn|xmas)|vse_flood|stdhex|greip|httpflood)/ nocase
    condition:
        uint32(0) == 0x464c457f and filesize < 4MB and (4 of them or ($default_password and 2 of ($busybox, $watchdog, $watchdog_misc, $tcp_table, $prompt, $shell)))
}

rule device_bot_loader
{
    meta:
        id = "d9f0b7c0-e6f6-4abf-9c86-269bdefda9aa"
        description = "Shell script that fetches the same program for many processors and starts each"
        description_zh = "为多种处理器下载并运行程序的脚本"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1105, T1059.004"
        reference = "https://attack.mitre.org/techniques/T1105/"
    strings:
        $fetch = /(wget|curl|tftp|ftpget)\s[^\n]{0,200}(arm[4-7]?|mips|mpsl|mipsel|x86|ppc|sh4|m68k|spc|arc)\b/
        $folder = /cd\s+\/tmp\s*(\|\||;|&&)\s*cd\s+\/(var\/run|mnt|root|var|dev\/shm)/
        $mode = /chmod\s+(\+x|7[75][75]|a\+x)\s/
        $arm = /\barm[4-7]\b/
        $mips = /\b(mips|mpsl|mipsel)\b/
        $other = /\b(ppc|sh4|m68k|spc|x86)\b/
    condition:
        filesize < 64KB and $fetch and $mode and ($folder or #fetch > 3) and $arm and $mips and $other
}

rule controller_stop_tool
{
    meta:
        id = "dd1c84e4-4fa9-40d7-81ac-e0d9a2729d41"
        description = "Program or script that stops or overwrites controllers on many addresses"
        description_zh = "批量停止或改写控制器的程序或脚本"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T0858, T1692.001"
        reference = "https://attack.mitre.org/techniques/T0858/"
    strings:
        $library_s7 = /(snap7|Sharp7|libnodave|python-snap7)/ nocase
        $library_modbus = /(pymodbus|libmodbus|NModbus|EasyModbus)/ nocase
        $library_iec = /(lib60870|c104|OpenMUC j60870)/
        $stop = /(plc_[s]top|Plc[S]top|dave[S]top|stop_[p]lc)/
        $write = /(write_([c]oils|[r]egisters)|modbus_write_[br](its|egisters)|WriteMultiple[RC](egisters|oils)|C_(SC|DC|SE)_N[AB]_1)/
        $range = /(ip_network|ipaddress\.|range\s*\(\s*1\s*,\s*25[45]\s*\)|for\s+\w+\s+in\s+(targets|hosts|ips)|ThreadPool)/
        $random = /(randint|random\.|0xFFFF|65535)/
    condition:
        filesize < 8MB and (($library_s7 and $stop and $range) or (($library_modbus or $library_iec) and $write and $range and $random))
}

rule engineering_archive_with_program
{
    meta:
        id = "0b1f3790-be06-42fd-9aaf-6ec4a380626b"
        description = "Archive of a controller project (TIA Portal, STEP 7, GX Works, Unity) that also carries a program or script"
        description_zh = "夹带可执行程序的工控工程压缩包"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1204.002"
        reference = "https://attack.mitre.org/techniques/T1204/002/"
    strings:
        // names stand in the local file headers of a ZIP archive (APPNOTE 4.3.7)
        $project = /PK\x03\x04.{26}[^\x00-\x1f]{1,160}\.(ap1[3-9]|zap1[3-9]|s7p|s7l|gxw|gx3|stu|sta|rsp|acd)/ nocase
        $program = /PK\x03\x04.{26}[^\x00-\x1f]{1,160}\.(exe|scr|dll|bat|cmd|ps1|vbs|js|hta|lnk)/ nocase
    condition:
        uint32(0) == 0x04034b50 and filesize < 200MB and $project and $program
}
