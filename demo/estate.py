"""What stands in Lanting: some 230 machines in fourteen zones and seven bureaus. The one source of the zone plan's assets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from demo.city import City, Host

TREASURY, TRANSPORT, HEALTH, WATER = "财政局", "交通运输局", "卫生健康委", "水务局"
ECOLOGY, DATA, SERVICE = "生态环境局", "大数据局", "政务服务局"


class Row(msgspec.Struct, frozen=True):
    """Machines of one kind. ``name`` and ``title`` take the number; the first has the address ``10.<first>``, the others follow."""

    name: str
    title: str
    kind: str
    bureau: str
    first: str
    count: int = 1
    importance: int = 2


ESTATE: dict[str, tuple[Row, ...]] = {
    "traffic-iot": (
        Row("sw-tra-01", "交通物联网汇聚交换机", "switch", TRANSPORT, "61.0.1", importance=3),
        Row("tra-edge-{:02d}", "交通边缘计算盒 {}", "gateway", TRANSPORT, "61.0.20", 2, 3),
        Row("tra-signal-{:02d}", "路口信号机 {}", "signal", TRANSPORT, "61.0.101", 12, 4),
        Row("tra-cam-{:02d}", "路口摄像机 {}", "camera", TRANSPORT, "61.1.11", 36, 2),
    ),
    "water-ot": (
        Row("sw-wtr-01", "水务工控交换机", "switch", WATER, "60.0.1", importance=4),
        Row("WTR-HMI-01", "水厂工程师站", "hmi", WATER, "60.0.10", importance=5),
        Row("wtr-scada-01", "水务 SCADA 服务器", "scada", WATER, "60.0.11", importance=5),
        Row("wtr-hist-01", "水务历史数据库", "historian", WATER, "60.0.12", importance=4),
        Row("wtr-opc-01", "水务数据采集网关", "gateway", WATER, "60.0.13", importance=4),
        Row("wtr-plc-{:02d}", "{}号泵站 PLC", "plc", WATER, "60.0.101", 8, 5),
        Row("wtr-rtu-{:02d}", "{}号管网 RTU", "rtu", WATER, "60.0.121", 4, 4),
    ),
    "env-sensor": (
        Row("sw-env-01", "环境物联网交换机", "switch", ECOLOGY, "62.0.1"),
        Row("env-mqtt-{:02d}", "环境监测 MQTT 网关 {}", "gateway", ECOLOGY, "62.0.11", 4, 3),
        Row("env-air-{:02d}", "空气质量微站 {}", "sensor", ECOLOGY, "62.1.11", 10, 1),
        Row("env-river-{:02d}", "河道水质传感器 {}", "sensor", ECOLOGY, "62.1.41", 8, 1),
    ),
    "egov-extranet": (
        Row("SW-CORE-{:02d}", "政务外网核心交换机 {}", "switch", DATA, "20.0.2", 2, 4),
        Row("FW-EXTNET-01", "政务外网防火墙", "firewall", DATA, "20.0.1", importance=4),
        Row("FW-PRIVATE-01", "专网边界防火墙", "firewall", DATA, "20.0.4", importance=5),
        Row("FW-OT-01", "水务工控边界防火墙", "firewall", WATER, "20.0.5", importance=5),
        Row("FIN-WS-{:02d}", "财政局办公终端 {}", "workstation", TREASURY, "21.0.21", 10),
        Row("FIN-FS-01", "财政局文件服务器", "file", TREASURY, "21.0.200", importance=3),
        Row("fin-prn-01", "财政局打印机", "printer", TREASURY, "21.0.210", importance=1),
        Row("TRA-WS-{:02d}", "交通局办公终端 {}", "workstation", TRANSPORT, "22.0.21", 8),
        Row("TRA-FS-01", "交通局文件服务器", "file", TRANSPORT, "22.0.200", importance=3),
        Row("HEA-WS-{:02d}", "卫健委办公终端 {}", "workstation", HEALTH, "23.0.21", 10),
        Row("HEA-FS-01", "卫健委文件服务器", "file", HEALTH, "23.0.200", importance=3),
        Row("WTR-WS-{:02d}", "水务局办公终端 {}", "workstation", WATER, "20.4.21", 4),
        Row("GSB-WS-{:02d}", "政务服务局窗口终端 {}", "workstation", SERVICE, "20.5.21", 6),
        Row("BDA-WS-{:02d}", "大数据局办公终端 {}", "workstation", DATA, "20.6.21", 4),
    ),
    "fin-private": (
        Row("sw-finp-01", "财政专网交换机", "switch", TREASURY, "121.0.1", importance=3),
        Row("FINP-WS-{:02d}", "财政专网终端 {}", "workstation", TREASURY, "121.0.21", 4, 3),
        Row("fin-pay-01", "国库集中支付服务器", "app", TREASURY, "121.0.51", importance=5),
        Row("fin-pay-db-01", "国库支付数据库", "db", TREASURY, "121.0.61", importance=5),
    ),
    "tra-private": (
        Row("sw-trap-01", "交通专网交换机", "switch", TRANSPORT, "122.0.1", importance=3),
        Row("TRAP-WS-{:02d}", "交通指挥席位 {}", "workstation", TRANSPORT, "122.0.21", 3, 3),
        Row("tra-sig-srv-01", "信号控制中心服务器", "app", TRANSPORT, "122.0.51", importance=4),
    ),
    "hea-private": (
        Row("sw-heap-01", "卫生专网交换机", "switch", HEALTH, "123.0.1", importance=3),
        Row("HEAP-WS-{:02d}", "卫生专网医生站 {}", "workstation", HEALTH, "123.0.21", 4, 3),
        Row("hea-his-01", "区域医疗平台服务器", "app", HEALTH, "123.0.51", importance=5),
        Row("hea-pacs-01", "影像归档服务器", "db", HEALTH, "123.0.61", importance=4),
    ),
    "internet-edge": (
        Row("USG-EDGE-{:02d}", "互联网出口防火墙 {}", "firewall", DATA, "10.0.1", 2, 5),
        Row("VPN-EDGE-01", "互联网 VPN 网关", "vpn", DATA, "10.0.11", importance=4),
        Row("AF-EDGE-01", "深信服下一代防火墙", "firewall", DATA, "10.0.12", importance=4),
        Row("proxy-edge-{:02d}", "上网代理 {}", "proxy", DATA, "10.0.21", 2, 3),
        Row("lb-edge-01", "出口负载均衡", "balancer", DATA, "10.0.31", importance=4),
    ),
    "mobile-access": (
        Row("gw-mobile-01", "移动接入网关", "vpn", DATA, "30.0.1", importance=4),
        Row("mob-term-{:02d}", "移动执法终端 {}", "mobile", TRANSPORT, "30.1.11", 8, 2),
    ),
    "gov-cloud": (
        Row("sw-cloud-01", "政务云交换机", "switch", DATA, "45.0.1", importance=4),
        Row("hv-{:02d}", "云宿主机 {}", "hypervisor", DATA, "45.0.11", 4, 5),
        Row("k8s-master-{:02d}", "Kubernetes 控制节点 {}", "kubernetes", DATA, "45.0.31", 3, 5),
        Row("k8s-node-{:02d}", "Kubernetes 工作节点 {}", "node", DATA, "45.0.41", 6, 4),
    ),
    "data-platform": (
        Row("FW-DC-01", "数据平台防火墙", "firewall", DATA, "50.0.1", importance=5),
        Row("portal-db-{:02d}", "服务门户数据库 {}", "db", SERVICE, "50.0.31", 2, 5),
        Row("pop-db-01", "人口基础库", "db", DATA, "50.0.35", importance=5),
        Row("data-node-{:02d}", "大数据节点 {}", "data", DATA, "50.0.41", 4, 4),
        Row("data-share-{:02d}", "数据交换节点 {}", "exchange", DATA, "50.0.51", 2, 5),
        Row("obj-store-{:02d}", "对象存储节点 {}", "storage", DATA, "50.0.61", 3, 4),
    ),
    "app-share": (
        Row("sw-app-01", "应用区交换机", "switch", DATA, "42.0.1", importance=3),
        Row("oa-web-{:02d}", "协同办公服务器 {}", "oa", DATA, "42.0.11", 2, 3),
        Row("app-api-{:02d}", "共享能力网关 {}", "app", DATA, "42.0.21", 2, 4),
        Row("vms-sip-01", "视频平台信令服务器", "video", TRANSPORT, "42.0.51", importance=4),
        Row("vms-nvr-{:02d}", "视频存储 NVR {}", "nvr", TRANSPORT, "42.0.61", 3, 3),
    ),
    "citizen-dmz": (
        Row("lb-dmz-01", "门户负载均衡", "balancer", SERVICE, "40.0.5", importance=4),
        Row("waf-dmz-01", "门户 WAF", "waf", SERVICE, "40.0.6", importance=4),
        Row("portal-web-{:02d}", "一网通办门户 {}", "web", SERVICE, "40.0.11", 3, 4),
        Row("portal-app-{:02d}", "门户应用服务器 {}", "app", SERVICE, "40.0.21", 2, 4),
        Row("app-gw-01", "移动 App 网关", "web", SERVICE, "40.0.31", importance=4),
    ),
    "operations": (
        Row("sw-ops-01", "运维区交换机", "switch", DATA, "70.0.1", importance=4),
        Row("OPS-DC-{:02d}", "域控制器 {}", "dc", DATA, "70.0.10", 2, 5),
        Row("ops-jump-01", "运维堡垒机", "jump", DATA, "70.0.20", importance=5),
        Row("ops-mail-01", "邮件服务器", "mail", DATA, "70.0.25", importance=3),
        Row("ops-log-01", "日志服务器", "log", DATA, "70.0.30", importance=4),
        Row("ops-mon-01", "监控服务器", "monitoring", DATA, "70.0.31", importance=3),
        Row("ops-bak-01", "备份服务器", "backup", DATA, "70.0.32", importance=4),
        Row("ops-repo-01", "软件源镜像", "repository", DATA, "70.0.33", importance=3),
        Row("ops-dns-{:02d}", "域名服务器 {}", "dns", DATA, "70.0.53", 2, 4),
        Row("OPS-WS-{:02d}", "运维终端 {}", "workstation", DATA, "70.0.81", 3, 4),
    ),
}

FAMILIES = ("chen", "li", "wang", "zhang", "liu", "zhao", "huang", "zhou", "wu", "xu", "sun", "hu", "zhu", "gao", "lin", "he")
GIVEN = ("wei", "na", "fang", "min", "yang", "lei", "jing", "tao", "xia", "jun", "yan", "feng", "hui", "ping", "rui", "chao")
ONLY_IPV4 = frozenset({"water-ot"})
OLD_KINDS = frozenset({"signal", "sensor", "printer"})
"""Kinds that have no IPv6 wherever they stand."""
GB_TYPES = {"camera": "132", "nvr": "118", "video": "200"}
"""Kind → type code of its GB/T 28181 id (annex E, digits 11 to 13: camera, network video recorder, central signalling server)."""


@lru_cache(maxsize=1)
def lanting() -> City:
    """The estate. Always the same: which machine does what is the seed's business, not which machines there are."""
    people = _people()
    return City(host for zone, rows in ESTATE.items() for row in rows for host in _hosts(zone, row, people))


def _hosts(zone: str, row: Row, people: Iterator[str]) -> Iterator[Host]:
    net, third, fourth = (int(part) for part in row.first.split("."))
    for number in range(1, row.count + 1):
        last = fourth + number - 1
        has_ip6 = zone not in ONLY_IPV4 and row.kind not in OLD_KINDS
        place = f"{third:x}:{last:x}" if third else f"{last:x}"
        gb_type = GB_TYPES.get(row.kind)
        yield Host(
            name=row.name.format(number),
            ip=f"10.{net}.{third}.{last}",
            kind=row.kind,
            zone=zone,
            bureau=row.bureau,
            mac=f"02:4c:{net // 100:02d}:{net % 100:02d}:{third:02x}:{last:02x}",
            title=row.title.format(number),
            ip6=f"2001:db8:{net}::{place}" if has_ip6 else "",
            user=next(people) if row.kind == "workstation" else "",
            importance=row.importance,
            gb_id=f"9901010000{gb_type}0{number:06d}" if gb_type else "",
        )


def _people() -> Iterator[str]:
    """Account names, no two alike: the families one after another, each with another given name."""
    for shift in range(len(GIVEN)):
        for number, family in enumerate(FAMILIES):
            yield f"{family}.{GIVEN[(number + shift) % len(GIVEN)]}"
