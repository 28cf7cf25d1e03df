/*
  Web shells in PHP, JSP, Java and ASP.NET. Written by Liandun, Apache-2.0.
  Regular expressions keep the words apart, so that this file itself does not look like what it seeks.
*/

rule webshell_php_runs_request
{
    meta:
        id = "6f6d1a02-6a2f-4d0b-9d0a-0d2f6f0f5a01"
        description = "PHP that runs what comes with the request: eval, assert or a shell function around $_GET, $_POST, $_REQUEST or $_COOKIE"
        description_zh = "执行请求内容的 PHP"
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
        description_zh = "解码并执行长文本的 PHP"
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
        description_zh = "用请求参数启动进程的 JSP"
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
        description_zh = "解密请求体并加载类的 JSP（内存马）"
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

rule webshell_php_encrypted_body
{
    meta:
        id = "50a74cff-026f-4c84-aa8f-f5f8d837115f"
        description = "PHP that decrypts the request body and runs it (Behinder and Godzilla kind)"
        description_zh = "解密请求体并执行的 PHP（冰蝎、哥斯拉类）"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1505.003, T1027"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $php = "<?php" nocase
        $input = /file_get_contents\s*\(\s*["']php:\/\/input/ nocase
        $post = /\$_(POST|REQUEST)\s*\[/
        $decrypt = /(openssl_decrypt\s*\(|\^\s*\$?\w{1,20}\s*\[\s*\$?\w{1,10}\s*\+?\s*1?\s*&\s*15\s*\])/
        $run = /\b(eval|assert|create_function|call_user_func)\s*\(/ nocase
        $session = /\$_SESSION\s*\[/
    condition:
        filesize < 512KB and $php and $decrypt and $run and ($input or ($post and $session))
}

rule webshell_php_function_from_request
{
    meta:
        id = "f11fc8de-3eb4-49c8-8f8d-e0e973e1d036"
        description = "PHP that calls a function whose name comes with the request"
        description_zh = "函数名来自请求的 PHP"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1505.003"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $php = "<?php" nocase
        $short = "<?="
        $direct = /\$_(GET|POST|REQUEST|COOKIE)\s*\[[^\]\n]{1,40}\]\s*\(\s*\$_(GET|POST|REQUEST|COOKIE)\s*\[/
        $called = /(array_map|array_filter|usort|call_user_func(_array)?|register_shutdown_function)\s*\(\s*\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
    condition:
        filesize < 1MB and ($php or $short) and ($direct or $called)
}

rule webshell_aspx_runs_request
{
    meta:
        id = "2e7abed5-658e-430d-8569-80bb0977e471"
        description = "ASP or ASP.NET page that evaluates the request or starts a process with it"
        description_zh = "执行请求内容的 ASP/ASP.NET 页面"
        author = "Liandun"
        date = "2026-11-25"
        level = "high"
        attack = "T1505.003, T1059"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $page = /<%@?\s*(Page|WebHandler|Import|Language)?/ nocase
        $eval = /\b(eval|execute|executeglobal)\s*\(?\s*(unescape\s*\()?\s*(Request|Server\.HtmlEncode\s*\(\s*Request)\s*[\.\[\("]/ nocase
        $process = /(ProcessStartInfo|Process\s*\.\s*Start|WScript\.Shell)/ nocase
        $request = /Request\s*(\.\s*(Form|Item|QueryString|Params|Headers))?\s*[\[\(]\s*["']/ nocase
        $output = /(StandardOutput|\.StdOut|Response\s*\.\s*Write)/ nocase
    condition:
        filesize < 512KB and $page and ($eval or ($process and $request and $output))
}

rule webshell_aspx_loads_encrypted_assembly
{
    meta:
        id = "f99e6ae5-c3c7-4558-bad3-67d4ab3e1d35"
        description = "ASP.NET page that decrypts the request body and loads it as an assembly"
        description_zh = "解密请求体并加载程序集的 ASP.NET 页面"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1505.003, T1620"
        reference = "https://attack.mitre.org/techniques/T1620/"
    strings:
        $page = "<%@" nocase
        $cipher = /(RijndaelManaged|Aes\s*\.\s*Create|AesManaged)/
        $body = /Request\s*\.\s*(BinaryRead|InputStream|GetBufferlessInputStream)/
        $parameter = /Request\s*\[\s*["']/
        $load = /Assembly\s*["'\)\]]?\s*\.?\s*\(?["']?Load\b|typeof\s*\(\s*System\.Reflection\.Assembly\s*\)/
    condition:
        filesize < 512KB and $page and $cipher and $load and ($body or $parameter)
}

rule memory_shell_registration
{
    meta:
        id = "9fddb5fe-f121-4709-8c1d-5c6a1f99f50d"
        description = "Java page or class source that registers a filter, servlet or valve while the server runs (memory web shell)"
        description_zh = "运行时注册 Filter、Servlet 或 Valve 的 Java 代码（内存马）"
        author = "Liandun"
        date = "2026-11-25"
        level = "critical"
        attack = "T1505.003, T1620"
        reference = "https://attack.mitre.org/techniques/T1505/003/"
    strings:
        $context = /(StandardContext|ApplicationContextFacade|WebApplicationContext|AbstractHandlerMethodMapping)/
        $register = /(addFilterMapBefore|addFilterDef|ApplicationFilterConfig|createWrapper\s*\(|addServletMappingDecoded|getPipeline\s*\(\s*\)\s*\.\s*addValve|registerMapping\s*\()/
        $reflect = /(setAccessible\s*\(\s*true\s*\)|getDeclaredField\s*\()/
        $run = /(getRuntime\s*\(\s*\)\s*\.\s*exec|ProcessBuilder|defineClass)/
    condition:
        filesize < 1MB and $context and $register and $reflect and $run
}
