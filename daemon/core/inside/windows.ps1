# SPDX-License-Identifier: LGPL-2.1-or-later
# What a guest that runs Windows says of itself, as one line of JSON. It changes nothing, and what
# can't be told is null.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$said = [ordered]@{}

function Tell($key, [scriptblock]$read) {
    try { $value = & $read } catch { $value = $null }
    if ($value -is [bool]) { $value = if ($value) { 'yes' } else { 'no' } }
    $script:said[$key] = $value
}

function Test-Feature($name) {
    $found = Get-CimInstance Win32_OptionalFeature -Filter "Name='$name'"
    $found -ne $null -and $found.InstallState -eq 1
}

# An event of the log System since the last boot; that there is none, or no such source, is an error.
function Test-Event($source, $id) {
    $boot = (Get-CimInstance Win32_OperatingSystem).LastBootUpTime
    try {
        $wanted = @{LogName = 'System'; ProviderName = $source; Id = $id; StartTime = $boot}
        @(Get-WinEvent -FilterHashtable $wanted -MaxEvents 1).Count -gt 0
    } catch [System.Diagnostics.Eventing.Reader.EventLogNotFoundException] {
        $false
    } catch {
        if ($_.FullyQualifiedErrorId -like 'NoMatching*') { $false } else { throw }
    }
}

$windows = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$servicing = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$boot = @(try { bcdedit /enum '{current}' } catch { })

Tell 'build' { [int](Get-ItemProperty $windows).CurrentBuildNumber }
Tell 'edition' { [string](Get-ItemProperty $windows).EditionID }
Tell 'hyperv' { Test-Feature 'Microsoft-Hyper-V' }
Tell 'platform' { Test-Feature 'VirtualMachinePlatform' }
Tell 'wsl' {
    $found = Get-ChildItem 'Registry::HKEY_USERS' -ErrorAction SilentlyContinue |
        ForEach-Object { "Registry::$($_.Name)\Software\Microsoft\Windows\CurrentVersion\Lxss" } |
        Where-Object { Test-Path $_ } | ForEach-Object { Get-ChildItem $_ } |
        Where-Object { $_.GetValue('Version') -eq 2 }
    @($found).Count -gt 0
}
Tell 'hypervisor' { [bool](Get-CimInstance Win32_ComputerSystem).HypervisorPresent }
Tell 'own_hypervisor' { Test-Event 'Microsoft-Windows-Hyper-V-Hypervisor' 1 }
Tell 'launch_type' {
    $line = @($boot -match '^hypervisorlaunchtype\s')
    if ($line.Count -gt 0) { [string]($line[0] -split '\s+')[1] }
}
Tell 'nested_refused' {
    if ($boot.Count -gt 0) { @($boot -match 'OFFERNESTEDVIRT=FALSE').Count -gt 0 }
}
Tell 'vbs' {
    $space = 'root\Microsoft\Windows\DeviceGuard'
    (Get-CimInstance -Namespace $space Win32_DeviceGuard).VirtualizationBasedSecurityStatus -eq 2
}
Tell 'secure_boot' { try { Confirm-SecureBootUEFI } catch [PlatformNotSupportedException] { $false } }
Tell 'event_124' { Test-Event 'Microsoft-Windows-Kernel-Boot' 124 }
Tell 'vid' {
    $driver = Get-CimInstance Win32_SystemDriver -Filter "Name='Vid'"
    $driver -ne $null -and $driver.State -eq 'Running'
}
Tell 'reboot_pending' {
    (Test-Path "$servicing\Component Based Servicing\RebootPending") -or
        (Test-Path "$servicing\WindowsUpdate\Auto Update\RebootRequired")
}
Tell 'blank_password' {
    $accounts = Get-CimInstance Win32_UserAccount -Filter 'LocalAccount=TRUE'
    $administrator = $accounts | Where-Object { $_.SID -like 'S-1-5-21-*-500' }
    if ($administrator -ne $null -and $administrator.Disabled) { $false }
}
Tell 'memory_kib' { [long](Get-CimInstance Win32_OperatingSystem).FreePhysicalMemory }
Tell 'disk_kib' {
    $disk = Get-CimInstance Win32_LogicalDisk -Filter "DeviceID='$env:SystemDrive'"
    [long]($disk.FreeSpace / 1024)
}
Tell 'inner_vms' {
    if (Get-Command Get-VM -ErrorAction SilentlyContinue) {
        @(Get-VM | Where-Object { $_.State -eq 'Running' }).Count
    }
}
ConvertTo-Json -Compress $said
