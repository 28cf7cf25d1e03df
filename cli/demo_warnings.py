"""Warnings that the demo city begins with: one in force that a bureau has answered, one that waits for approval.

They are made by the acts of the service, each by its own person, so they have receipts, history and audit like any other. What the
simulated attacks show in several zones drafts itself later (operations.warnings.patterns).
"""

from __future__ import annotations

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.warnings import service
from operations.warnings.schema import Draft

_WRITER = Principal(0, "演示分析员", "", "analyst")
_LEADER = Principal(0, "演示负责人", "", "leader")
_DUTY = Principal(0, "演示值班员", "", "duty")
_BUREAU, _ZONE = "水务局", "water-ot"
_WATER = Principal(0, "演示联络员", "", "bureau", zones=frozenset({_ZONE}), organisations=frozenset({_BUREAU}))

_CAMERAS = Draft(
    title="视频监控设备弱口令被批量利用（演示）",
    importance="special",
    harm="severe",
    nature="网络攻击事件：口令猜测、僵尸程序植入",
    threat="对摄像机 RTSP、Telnet 和 SSH 服务批量猜测口令，得手后下载恶意固件并外联控制服务器",
    extent="交通物联网、水务工业控制网及与之相连的视频平台",
    objects="摄像机、视频网关、录像机",
    effect="画面外泄，设备被控制，可能成为进入数据平台的跳板",
    measures="1. 修改默认口令，关闭 Telnet\n2. 核对摄像机登记清单，下线未登记设备\n3. 在区域边界阻断非许可的跨区访问\n"
    "4. 按时限反馈排查数量和处置结果",
    organisations=("交通运输局",),
    zones=("traffic-iot", _ZONE),
)
_PHISHING = Draft(
    title="冒充财政通知的钓鱼邮件（演示）",
    importance="important",
    harm="severe",
    nature="网络攻击事件：钓鱼邮件",
    threat="带宏文档启动 PowerShell，读取口令后横向移动到文件服务器",
    extent="政务外网、财政专网",
    objects="办公终端、文件服务器",
    effect="账户口令泄露，数据被窃取",
    measures="1. 隔离附件并上报样本\n2. 重置涉事账户口令",
    organisations=("财政局", "大数据局"),
)


def begin_with_warnings(database: Database) -> None:
    """Makes them in a platform whose zone plan is the city's."""
    with database.write() as session:
        made = service.create(session, _WRITER, _CAMERAS)
        made = service.submit(session, _WRITER, made.id, expected_version=made.version)
        made = service.approve(session, _LEADER, made.id, expected_version=made.version)
        service.publish(session, _DUTY, made.id, expected_version=made.version)
        waiting = service.create(session, _WRITER, _PHISHING)
        service.submit(session, _WRITER, waiting.id, expected_version=waiting.version, note="请审批")
    limits = {SESSION_KEY: _WATER.zones, ORGANISATIONS_KEY: _WATER.organisations}
    with database.carrying(limits).write() as session:
        service.receive(session, _WATER, made.id, _BUREAU, edition=1, comment="已转各泵站运维单位")
        service.answer(session, _WATER, made.id, _BUREAU, edition=1, feedback="已核对 12 台摄像机，3 台仍用默认口令，均已修改。")
