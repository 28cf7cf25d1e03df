/*
  What is sent to people: shortcuts, HTML applications, macro documents; and what blackmailers leave. Written by Liandun, Apache-2.0.
*/

rule shortcut_starts_interpreter
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a0a"
        description = "Windows shortcut that starts a script interpreter with a hidden, encoded or downloaded command"
        description_zh = "启动脚本解释器的快捷方式"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1204.002, T1059.001"
        reference = "https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink/"
    strings:
        // ShellLinkHeader: size 0x4C and the class id 00021401-0000-0000-C000-000000000046 (MS-SHLLINK 2.1)
        $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        $program = /(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin)(\.exe)?/ ascii wide nocase
        $hidden = /-w(indowstyle)?\s+h(idden)?/ ascii wide nocase
        $encoded = /-e(nc|c|ncodedcommand)?\s+[A-Za-z0-9+\/=]{24,}/ ascii wide nocase
        $fetched = /https?:\/\// ascii wide nocase
    condition:
        $header at 0 and filesize < 2MB and $program and any of ($hidden, $encoded, $fetched)
}

rule html_application_starts_program
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a0b"
        description = "HTML application or script that makes a shell object and runs a program"
        description_zh = "启动程序的 HTML 应用"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1218.005"
        reference = "https://attack.mitre.org/techniques/T1218/005/"
    strings:
        $application = "<hta:application" nocase
        $script = "<script" nocase
        $object = /(ActiveXObject|CreateObject|GetObject)\s*\(\s*["'](WScript\.Shell|Shell\.Application|winmgmts:|script:http)/ nocase
        $run = /\.\s*(Run|Exec|ShellExecute|Create)\s*\(?\s*["'\w]/ nocase
    condition:
        filesize < 1MB and ($application or $script) and $object and $run
}

rule document_macro_fetches_program
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a0c"
        description = "Office document (OLE) whose macro runs when it is opened and fetches or starts a program"
        description_zh = "打开即下载程序的宏文档"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1566.001, T1137"
        reference = "https://attack.mitre.org/techniques/T1566/001/"
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $start = /(Auto_?Open|Document_Open|Workbook_Open|AutoExec)/ nocase
        $fetch = /(URLDownloadToFile|MSXML2\.XMLHTTP|WinHttp\.WinHttpRequest|ADODB\.Stream)/ nocase
        $launch = /(WScript\.Shell|Shell\.Application|powershell|Win32_Process)/ nocase
    condition:
        $ole at 0 and $start and ($fetch or $launch)
}

rule ransom_note
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a0d"
        description = "Short text in English or Chinese that asks for money to give files back"
        description_zh = "勒索信"
        author = "Liandun"
        date = "2026-11-23"
        level = "critical"
        attack = "T1486"
        reference = "https://attack.mitre.org/techniques/T1486/"
    strings:
        $done_en = /(your|all)( your)? (files|documents|data|network)[^.\n]{0,60}(are|were|have been|has been) (encrypted|locked|stolen)/ nocase
        $done_zh_1 = "被加密"
        $done_zh_2 = "已加密"
        $done_zh_3 = "已经加密"
        $done_gbk = { B1 BB BC D3 C3 DC }
        $pay_en = /(bitcoin|btc|monero|xmr|decrypt(or|ion key)|private key)/ nocase
        $pay_zh_1 = "比特币"
        $pay_zh_2 = "赎金"
        $pay_zh_3 = "解密"
        $pay_gbk = { B1 C8 CC D8 B1 D2 }
        $way = /([\w.-]{8,}\.onion|[\w.+-]+@(proton(mail)?|tutanota|onionmail|cock)\.\w+|tox\s?id|tele[g]ram)/ nocase
    condition:
        filesize < 64KB and ($done_en or any of ($done_zh_*) or $done_gbk) and ($pay_en or any of ($pay_zh_*) or $pay_gbk) and $way
}

rule archive_with_double_extension
{
    meta:
        id = "64403c6a-70d4-4907-babe-ab119dfba360"
        description = "ZIP archive that holds a program whose name ends like a document's"
        description_zh = "含双扩展名程序的压缩包"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1036.007, T1566.001"
        reference = "https://attack.mitre.org/techniques/T1036/007/"
    strings:
        // names stand in the local file headers (APPNOTE 4.3.7); blanks push the true ending out of sight
        $entry = /PK\x03\x04.{26}[^\x00-\x1f]{1,160}\.(pdf|docx?|xlsx?|pptx?|wps|et|dps|ofd|jpe?g|png|txt|rtf)[ _\xa0]{0,120}\.(exe|scr|com|pif|lnk|js|jse|vbs|vbe|wsf|hta|bat|cmd|ps1|msi)/ nocase
    condition:
        uint32(0) == 0x04034b50 and filesize < 200MB and $entry
}

rule name_written_backwards
{
    meta:
        id = "71cc128f-b45b-4900-9ede-424776790f49"
        description = "File name with the mark for right-to-left text, so that a program looks like a document"
        description_zh = "文件名含从右到左控制符的压缩包"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1036.002"
        reference = "https://attack.mitre.org/techniques/T1036/002/"
    strings:
        $utf8 = /PK\x03\x04.{26}[^\x00-\x1f]{0,120}\xe2\x80\xae[^\x00-\x1f]{0,60}\.(exe|scr|com|pif|lnk|js|vbs|hta|bat|cmd)/ nocase
    condition:
        uint32(0) == 0x04034b50 and filesize < 200MB and $utf8
}

rule script_lure_fetches_code
{
    meta:
        id = "704540b7-6a01-44ad-ba29-c5c1268ca41b"
        description = "Script for Windows (JScript, VBScript, batch) that fetches code and runs it"
        description_zh = "下载并执行代码的 Windows 脚本"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1059.005, T1105"
        reference = "https://attack.mitre.org/techniques/T1059/005/"
    strings:
        $object = /(MSXML2\.(Server)?XMLHTTP|WinHttp\.WinHttpRequest|Microsoft\.XMLHTTP)/ nocase
        $stream = /ADODB\.Stream/ nocase
        $save = /\.\s*SaveToFile\s*[\(\s]/ nocase
        $run = /\.\s*(Run|Exec|ShellExecute)\s*[\(\s]/ nocase
        $shell = /(bitsadmin\s[^\n]{0,60}\/transfer|certutil(\.exe)?\s[^\n]{0,60}-urlcache|mshta(\.exe)?\s+https?:|regsvr32\s[^\n]{0,40}\/i:https?:)/ nocase
        $script = /(^|\n)\s*(@echo\s+off|rem\s|set\s+\w+=|dim\s|var\s|function\s|on\s+error\s+resume\s+next)/ nocase
    condition:
        filesize < 2MB and uint16(0) != 0x5a4d and (($object and $stream and $save and $run) or ($shell and $script))
}
