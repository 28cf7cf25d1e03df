/*
  Web shells in PHP and JSP. Written by Liandun, Apache-2.0.
  Regular expressions keep the words apart, so that this file itself does not look like what it seeks.
*/

rule webshell_php_runs_request
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a01"
        description = "PHP that runs what comes with the request: eval, assert or a shell function around $_GET, $_POST, $_REQUEST or $_COOKIE"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $php = "<?php" nocase
        $short = "<?="
        $run = /\b(eval|assert|system|shell_exec|passthru|exec|popen|proc_open)\s*\(\s*[^;]{0,60}\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
        $back = /`[^`\n]{0,40}\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
    condition:
        filesize < 1MB and ($php or $short) and ($run or $back)
}

rule webshell_php_hidden_code
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a02"
        description = "PHP that unpacks and runs a long encoded text"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1505.003, T1027"
        reference = "https://attack.mitre.org/techniques/T1027/"
    strings:
        $php = "<?php" nocase
        $chain = /\b(eval|assert)\s*\(\s*(@?\s*(gzinflate|gzuncompress|str_rot13|base64_decode|hex2bin|strrev)\s*\(\s*){1,6}['"$]/ nocase
        $text = /['"][A-Za-z0-9+\/=]{200}/
    condition:
        filesize < 2MB and $php and $chain and $text
}

rule webshell_jsp_runs_request
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a03"
        description = "JSP page that starts a process with what comes in a request parameter"
        author = "Liandun"
        date = "2026-11-23"
        level = "high"
        attack = "T1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $page = "<%"
        $parameter = /request\s*\.\s*get(Parameter|Header)\s*\(/
        $runtime = /Runtime\s*\.\s*getRuntime\s*\(\s*\)\s*\.\s*exec\s*\(/
        $builder = /new\s+(java\.lang\.)?ProcessBuilder\s*\(/
    condition:
        filesize < 1MB and $page and $parameter and ($runtime or $builder)
}

rule webshell_jsp_loads_encrypted_class
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a04"
        description = "JSP page that decrypts the request body and defines a class of it (memory web shells of the Behinder and Godzilla kind)"
        author = "Liandun"
        date = "2026-11-23"
        level = "critical"
        attack = "T1505.003, T1620"
        reference = "https://attack.mitre.org/techniques/T1620/"
    strings:
        $page = "<%"
        $loader = /extends\s+ClassLoader/
        $define = /\bdefineClass\s*\(/
        $cipher = /Cipher\s*\.\s*getInstance\s*\(\s*"AES/
        $body = /get(Reader|InputStream)\s*\(\s*\)/
        $parameter = /getParameter\s*\(/
    condition:
        filesize < 1MB and $page and ($loader or $define) and $cipher and ($body or $parameter)
}
