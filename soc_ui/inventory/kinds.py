"""What kinds of devices are called in the language of the page. A kind is any word; one that nobody foresaw stands for itself."""

from __future__ import annotations

from flask import Flask

from soc_ui.locale import _


def names() -> dict[str, str]:
    """Kind → its name."""
    return {
        "server": _("Server"),
        "workstation": _("Workstation"),
        "database": _("Database"),
        "db": _("Database"),
        "plc": _("Controller (PLC)"),
        "rtu": _("Remote terminal (RTU)"),
        "hmi": _("Operator panel (HMI)"),
        "scada": _("Control server (SCADA)"),
        "historian": _("Process historian"),
        "camera": _("Camera"),
        "nvr": _("Video recorder"),
        "video": _("Video server"),
        "sensor": _("Sensor"),
        "signal": _("Traffic signal"),
        "gateway": _("Gateway"),
        "switch": _("Switch"),
        "firewall": _("Firewall"),
        "waf": _("Web firewall"),
        "vpn": _("VPN gateway"),
        "proxy": _("Proxy"),
        "balancer": _("Load balancer"),
        "jump": _("Jump host"),
        "printer": _("Printer"),
        "phone": _("Phone"),
        "mobile": _("Mobile device"),
        "app": _("Application server"),
        "web": _("Web server"),
        "oa": _("Office server"),
        "mail": _("Mail server"),
        "file": _("File server"),
        "dc": _("Domain controller"),
        "dns": _("Name server"),
        "node": _("Cluster node"),
        "kubernetes": _("Kubernetes control node"),
        "hypervisor": _("Virtualization host"),
        "storage": _("Storage"),
        "data": _("Data node"),
        "exchange": _("Data exchange node"),
        "log": _("Log server"),
        "monitoring": _("Monitoring server"),
        "backup": _("Backup server"),
        "repository": _("Software mirror"),
        "other": _("Other"),
    }


def kind_name(kind: str) -> str:
    """The name of one kind."""
    return names().get(kind, kind)


def install(app: Flask) -> None:
    """Gives templates ``kind_name()``."""
    app.jinja_env.globals["kind_name"] = kind_name
