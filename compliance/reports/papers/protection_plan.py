"""Draft of a 保护工作方案: filled from what is recorded, with marks where people have to write. Chinese only.

The form that the authorities ask for is not part of our sources: the parts are ours, and the paper says so.
"""

from __future__ import annotations

from compliance.reports.material import Material
from compliance.reports.papers import parts, remediation
from compliance.reports.words import Words
from compliance.systems.service import DUTIES
from operations.documents import Block, Bullets, Facts, Heading, Paragraph

_FILL = "【待填写】"
_INTRO = f"本稿由平台按已记录的数据生成，供运营使用单位修改。主管部门规定的格式以其发布的为准；标有{_FILL}之处须由人填写。"


def blocks(material: Material, say: Words) -> list[Block]:
    """Ten parts; what nobody recorded stands there as to be filled in."""
    return [
        Paragraph(_INTRO),
        Heading("一、保护对象"), parts.system(material, say), Paragraph(f"测评对象：{parts.kinds(material, say) or _FILL}"),
        Heading("二、依据与目标"),
        Bullets(("GB/T 22239-2019 第三级要求及系统采用的扩展要求", "GB/T 25058-2019 实施指南", f"本单位网络安全总体方针：{_FILL}",
                 f"年度目标（结论、问题数、演练次数）：{_FILL}")),
        Heading("三、组织与职责"), _people(material, say),
        Heading("四、现状与差距"), *_standing(material, say),
        Heading("五、安全措施"), *_measures(material, say),
        Heading("六、整改安排"), *remediation.blocks(material, say)[4:5],
        Heading("七、监测、预警与应急"),
        Bullets(("平台持续采集日志与流量，告警按职责分派并留痕", "控制项由符合转为不符合时自动产生告警与整改工单",
                 f"预警发布、签收与反馈的责任人：{_FILL}", f"应急预案编号、最近一次演练日期与结论：{_FILL}",
                 f"事件报告时限与受理部门联系方式：{_FILL}")),
        Heading("八、数据、供应链与外包"),
        Bullets((f"重要数据目录与备份恢复验证：{_FILL}",
                 f"产品与服务采购、外包人员管理：{_FILL}", f"商用密码应用方案与评估：{_FILL}")),
        Heading("九、保障条件"), Bullets((f"经费预算：{_FILL}", f"人员与培训计划：{_FILL}", f"测评机构与委托计划：{_FILL}")),
        Heading("十、检查与改进"),
        Bullets(("每年至少一次等级测评；自查结果与上次得分对照", f"检查周期与考核办法：{_FILL}", f"审批人与日期：{_FILL}")),
    ]  # fmt: skip


def _people(material: Material, say: Words) -> Facts:
    named: dict[str, list[str]] = {}
    for one in material.system.people:
        named.setdefault(one.duty, []).append(f"{one.name} {one.contact}".strip())
    return Facts(tuple((say(f"duty_{duty}"), "、".join(named.get(duty, ())) or _FILL) for duty in DUTIES))


def _standing(material: Material, say: Words) -> list[Block]:
    numbers = {level: sum(one.level == level for one in material.problems) for level in ("critical", "high", "medium")}
    levels = "、".join(f"{say('level_' + level)} {number} 项" for level, number in numbers.items())
    return [parts.result(material, say), Paragraph(f"问题 {len(material.problems)} 项：{levels}。"), parts.classes(material, say)]


def _measures(material: Material, say: Words) -> list[Block]:
    """By class: the problems that its measures have to end."""
    by_class: dict[str, list[str]] = {}
    for one in material.problems:
        by_class.setdefault(one.standing.security_class, []).append(f"{one.standing.item} {say.of(one.standing)}")
    made: list[Block] = []
    for one_class in material.standing.classes:
        found = by_class.get(one_class.id, [])
        made.append(Heading(f"{one_class.id} {one_class.zh}", 3))
        made.append(Bullets(tuple(found)) if found else Paragraph("保持现有措施，按周期复核。"))
    return made
