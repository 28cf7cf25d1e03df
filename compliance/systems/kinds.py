"""Kinds of objects that are assessed (GB/T 28448-2019, "测评对象"), as the catalogue names them, and which kinds an asset is.

An asset is more than one object where more than one thing on it is looked at: a database server is an operating system and a
database. What the inventory calls otherwise is an object only when a person says so.
"""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, str]] = {
    "room": ("机房", "Equipment room"),
    "network_device": ("网络设备", "Network device"),
    "security_device": ("安全设备", "Security device"),
    "wireless_device": ("无线接入设备", "Wireless access device"),
    "server_os": ("服务器操作系统", "Server operating system"),
    "terminal": ("终端", "Terminal"),
    "database": ("数据库管理系统", "Database system"),
    "middleware": ("中间件", "Middleware"),
    "application": ("业务应用系统", "Application"),
    "system_software": ("系统管理软件", "System software"),
    "management_platform": ("安全管理平台", "Management platform"),
    "data": ("数据资源", "Data"),
    "cloud_platform": ("云计算平台", "Cloud platform"),
    "virtual_machine": ("虚拟机", "Virtual machine"),
    "mobile_terminal": ("移动终端", "Mobile terminal"),
    "sensor_node": ("感知节点", "Sensor node"),
    "gateway_node": ("感知网关节点", "Sensor gateway"),
    "ics_controller": ("控制设备", "Controller"),
    "document": ("管理文档", "Management documents"),
    "personnel": ("安全相关人员", "Personnel"),
}
"""Kind → its names in Chinese and English."""

_OS = "server_os"
OF_ASSETS: Mapping[str, tuple[str, ...]] = {
    "server": (_OS,),
    "database": (_OS, "database"),
    "db": (_OS, "database"),
    "historian": (_OS, "database"),
    "data": (_OS, "database"),
    "app": (_OS, "application"),
    "oa": (_OS, "application"),
    "mail": (_OS, "application"),
    "scada": (_OS, "application"),
    "video": (_OS, "application"),
    "web": (_OS, "middleware", "application"),
    "file": (_OS,),
    "dc": (_OS,),
    "dns": (_OS,),
    "node": (_OS,),
    "nvr": (_OS,),
    "storage": (_OS,),
    "repository": (_OS,),
    "kubernetes": (_OS, "system_software"),
    "hypervisor": (_OS, "system_software"),
    "backup": (_OS, "system_software"),
    "log": (_OS, "management_platform"),
    "monitoring": (_OS, "management_platform"),
    "switch": ("network_device",),
    "router": ("network_device",),
    "balancer": ("network_device",),
    "firewall": ("security_device",),
    "waf": ("security_device",),
    "vpn": ("security_device",),
    "proxy": ("security_device",),
    "jump": ("security_device",),
    "exchange": ("security_device",),
    "ap": ("wireless_device",),
    "workstation": ("terminal",),
    "hmi": ("terminal",),
    "engineering-station": ("terminal",),
    "printer": ("terminal",),
    "phone": ("terminal",),
    "mobile": ("mobile_terminal",),
    "camera": ("sensor_node",),
    "sensor": ("sensor_node",),
    "gateway": ("gateway_node",),
    "plc": ("ics_controller",),
    "rtu": ("ics_controller",),
    "ied": ("ics_controller",),
    "dcs": ("ics_controller",),
    "controller": ("ics_controller",),
    "signal": ("ics_controller",),
}
"""Kind of an asset → kinds of objects that it is."""


def name_of(kind: str, *, chinese: bool) -> str:
    """The name of a kind; itself where it is none."""
    names = KINDS.get(kind)
    return kind if names is None else names[0 if chinese else 1]
