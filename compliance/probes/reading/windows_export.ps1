# Export of the security settings of a Windows host for Liandun (docs/compliance.md). Windows PowerShell 3 or later.
# Run it as an administrator, in a console:
#   powershell -NoProfile -ExecutionPolicy Bypass -File windows_export.ps1 > HOST.json
# It changes no setting. Secedit can only write to a file: one with the security policy is made in the temporary folder and removed.
# Lines that begin with "# -- part" divide it into pieces that can be asked for one by one; each has to stay below 2,000 letters.
# -- begin
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$said = [ordered]@{ liandun = 'windows-export'; version = 1 }
function part($name, $ask) {
    try { $said[$name] = @{ rows = @(& $ask) } } catch { $said[$name] = @{ problem = "$($_.Exception.Message)" } }
}
function moment($time) {
    if ($time) { [int64]([math]::Floor(($time.ToUniversalTime() - [datetime]'1970-01-01').TotalSeconds)) } else { $null }
}
# -- part system
part 'system' {
    $os = Get-CimInstance Win32_OperatingSystem
    @{ name = "$env:COMPUTERNAME"; caption = "$($os.Caption)"; build = "$($os.BuildNumber)"; role = [int]$os.ProductType
       now = moment (Get-Date) }
}
# -- part policy
part 'policy' {
    $file = Join-Path ([IO.Path]::GetTempPath()) ("liandun-" + [guid]::NewGuid() + ".inf")
    try {
        $log = [IO.Path]::ChangeExtension($file, 'log')
        $null = & "$env:SystemRoot\System32\secedit.exe" /export /cfg $file /areas SECURITYPOLICY USER_RIGHTS /log $log /quiet
        if (-not (Test-Path -LiteralPath $file)) { throw "secedit wrote nothing: run it as an administrator ($LASTEXITCODE)" }
        [IO.File]::ReadAllText($file)
    } finally { Remove-Item -LiteralPath $file, $log -Force -ErrorAction SilentlyContinue }
}
# -- part audit
part 'audit' {
    $lines = & "$env:SystemRoot\System32\auditpol.exe" /get '/category:*' /r
    if ($LASTEXITCODE -ne 0) { throw "auditpol: $LASTEXITCODE $lines" }
    $lines -join "`n"
}
# -- part registry
part 'registry' {
    $current = 'SYSTEM\CurrentControlSet'
    $wanted = [ordered]@{
        "$current\Control\Lsa" = 'LimitBlankPasswordUse LmCompatibilityLevel NoLMHash RestrictAnonymous RestrictAnonymousSAM'
        "$current\Services\LanManServer\Parameters" = 'AutoShareServer AutoShareWks SMB1 RequireSecuritySignature'
        "$current\Control\Session Manager\Memory Management" = 'ClearPageFileAtShutdown'
        'SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' = 'DontDisplayLastUserName InactivityTimeoutSecs EnableLUA'
        "$current\Control\Terminal Server" = 'fDenyTSConnections'
        "$current\Control\Terminal Server\WinStations\RDP-Tcp" = 'UserAuthentication SecurityLayer MinEncryptionLevel MaxIdleTime PortNumber'
        'SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services' = 'UserAuthentication SecurityLayer MinEncryptionLevel MaxIdleTime fDenyTSConnections'
        "$current\Services\W32Time\Parameters" = 'Type NtpServer'
        'SOFTWARE\Policies\Microsoft\Windows\EventLog\EventForwarding\SubscriptionManager' = '1 2 3 4'
    }
    $covered = @(); $values = @()
    foreach ($path in $wanted.Keys) {
        $covered += $path
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
        if (-not $key) { continue }
        foreach ($name in $wanted[$path].Split(' ')) {
            $value = $key.GetValue($name)
            if ($null -ne $value) { $values += @{ key = $path; name = $name; text = "$value" } }
        }
        $key.Close()
    }
    @{ covered = $covered; values = $values }
}
# -- part services
part 'services' {
    Get-CimInstance Win32_Service | ForEach-Object { @{ name = "$($_.Name)"; state = "$($_.State)"; start = "$($_.StartMode)" } }
}
# -- part shares
part 'shares' {
    Get-SmbShare | ForEach-Object {
        $grants = @()
        if (-not $_.Special) {
            $grants = @(Get-SmbShareAccess -Name $_.Name -ScopeName $_.ScopeName | Where-Object { "$($_.AccessControlType)" -eq 'Allow' } |
                ForEach-Object {
                    $who = "$($_.AccountName)"
                    try { $who = "$(([Security.Principal.NTAccount]$who).Translate([Security.Principal.SecurityIdentifier]))" } catch { }
                    @{ who = $who; right = "$($_.AccessRight)" }
                })
        }
        @{ name = "$($_.Name)"; path = "$($_.Path)"; is_special = [bool]$_.Special; grants = $grants }
    }
}
# -- part smb
part 'smb' {
    $server = Get-SmbServerConfiguration
    @{ version_1 = [bool]$server.EnableSMB1Protocol; signing = [bool]$server.RequireSecuritySignature }
}
# -- part listeners
part 'listeners' {
    $programs = @{}
    Get-Process | ForEach-Object { $programs[[int]$_.Id] = "$($_.ProcessName)" }
    Get-NetTCPConnection -State Listen | ForEach-Object {
        @{ protocol = 'tcp'; address = "$($_.LocalAddress)"; port = [int]$_.LocalPort; program = "$($programs[[int]$_.OwningProcess])" }
    }
    Get-NetUDPEndpoint | Where-Object { $_.LocalPort -lt 49152 } | ForEach-Object {
        @{ protocol = 'udp'; address = "$($_.LocalAddress)"; port = [int]$_.LocalPort; program = "$($programs[[int]$_.OwningProcess])" }
    }
}
# -- part hotfixes
part 'hotfixes' {
    Get-HotFix | ForEach-Object { @{ id = "$($_.HotFixID)"; at = moment $_.InstalledOn } }
}
# -- part defender
part 'defender' {
    $state = Get-MpComputerStatus
    @{ enabled = [bool]$state.AntivirusEnabled; realtime = [bool]$state.RealTimeProtectionEnabled
       signatures = moment $state.AntivirusSignatureLastUpdated }
}
# -- part products
part 'products' {
    Get-CimInstance -Namespace root/SecurityCenter2 AntiVirusProduct | ForEach-Object {
        @{ name = "$($_.displayName)"; state = [int64]$_.productState }
    }
}
# -- part firewall
part 'firewall' {
    Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object {
        @{ name = "$($_.Name)"; enabled = ("$($_.Enabled)" -eq 'True'); inbound = "$($_.DefaultInboundAction)" }
    }
}
# -- part port-rules
part 'port-rules' {
    $port = [string](Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp').PortNumber
    $ports = @($port, '5985', '5986')
    Get-NetFirewallPortFilter -PolicyStore ActiveStore | Where-Object { $filter = $_; @($ports | Where-Object { $filter.LocalPort -contains $_ }) } |
        ForEach-Object {
            $filter = $_
            $rule = $filter | Get-NetFirewallRule
            if ("$($rule.Enabled)" -eq 'True' -and "$($rule.Direction)" -eq 'Inbound' -and "$($rule.Action)" -eq 'Allow') {
                $sources = @(($rule | Get-NetFirewallAddressFilter).RemoteAddress | ForEach-Object { "$_" })
                @{ name = "$($rule.Name)"; ports = @($filter.LocalPort | ForEach-Object { "$_" }); sources = $sources }
            }
        }
}
# -- part accounts
part 'accounts' {
    Get-LocalUser | ForEach-Object {
        @{ name = "$($_.Name)"; sid = "$($_.SID)"; enabled = [bool]$_.Enabled; password_required = [bool]$_.PasswordRequired
           password_expires = [bool]$_.PasswordExpires; last_logon = moment $_.LastLogon; password_set = moment $_.PasswordLastSet }
    }
}
# -- part administrators
part 'administrators' {
    Get-LocalGroupMember -SID S-1-5-32-544 | ForEach-Object { @{ name = "$($_.Name)"; sid = "$($_.SID)" } }
}
# -- part volumes
part 'volumes' {
    Get-BitLockerVolume | ForEach-Object {
        @{ mount = "$($_.MountPoint)"; protected = ("$($_.ProtectionStatus)" -eq 'On'); percent = [int]$_.EncryptionPercentage }
    }
}
# -- part logs
part 'logs' {
    foreach ($name in 'Security', 'System', 'Application') {
        $log = Get-WinEvent -ListLog $name
        $first = $null
        try { $first = Get-WinEvent -LogName $name -Oldest -MaxEvents 1 } catch { if ($log.RecordCount) { throw } }
        @{ name = $name; enabled = [bool]$log.IsEnabled; most = [int64]$log.MaximumSizeInBytes; mode = "$($log.LogMode)"
           oldest = moment $first.TimeCreated }
    }
}
# -- end
ConvertTo-Json -InputObject $said -Depth 6 -Compress
