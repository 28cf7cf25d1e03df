"""Probes of Windows hosts: exported files, or asked by WinRM."""
