/*
  Attack tools, miners and test files. Written by Liandun, Apache-2.0.
*/

rule liandun_demo_file
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a05"
        description = "The harmless test file of Liandun's demo"
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
