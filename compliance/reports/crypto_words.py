"""The words of the cryptography paper, Chinese and English (compliance.reports.words reads them)."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.scoring.crypto import FORMULA

CRYPTO_WORDS: Mapping[str, tuple[str, str]] = {
    "title_crypto": ("商用密码应用安全性自查报告", "Commercial cryptography self-assessment report"),
    "mark_crypto": ("自查，非测评机构报告", "Self-assessment, not by an assessment body"),
    "crypto_intro": (
        "本报告由运营使用单位依据平台记录的判定自行生成，按 GB/T 39786-2021 第三级与 2023 年量化评估规则计分，"
        "不替代密评机构出具的报告。",
        "Made by the operating organisation from verdicts recorded in the platform, by GB/T 39786-2021 level 3 and the rules of "
        "2023. It does not replace the report of an assessment body.",
    ),
    "crypto_scope": ("自查范围与依据", "Scope and basis"),
    "crypto_units": ("测评单元", "Units"),
    "crypto_units_told": (
        "共 {all} 个（技术 {technical}、管理 {management}），已有判定 {judged} 个",
        "{all} ({technical} technical, {management} management), {judged} with a verdict",
    ),
    "crypto_objects_told": ("共 {number} 个，判定 {pairs} 条", "{number}, {pairs} verdicts"),
    "crypto_modal": ("应 / 宜 / 可", "shall / should / may"),
    "crypto_total": ("得分与结论", "Score and conclusion"),
    "crypto_value": ("综合得分", "Score"),
    "crypto_missing": ("未判定单元", "Units without a verdict"),
    "crypto_no_total": ("暂不能计分", "No score yet"),
    "crypto_layers": ("各层面得分", "Scores by layer"),
    "crypto_layer": ("层面", "Layer"),
    "crypto_points": ("分值", "Points"),
    "crypto_score": ("得分", "Score"),
    "crypto_unit": ("单元", "Unit"),
    "crypto_weight": ("权重", "Weight"),
    "crypto_every_unit": ("各单元结果", "Results by unit"),
    "crypto_measured": ("技术单元逐对象结果", "Technical units, object by object"),
    "crypto_measured_told": (
        "D 密码使用有效，A 算法与技术合规，K 密钥管理安全；“←”为由另一对象弥补。",
        "D cryptography used effectively, A algorithm and technique compliant, K keys managed securely; ← made up by another.",
    ),
    "crypto_management": ("管理单元依据", "Management units, reasons"),
    "crypto_high": ("高风险", "High risks"),
    "crypto_high_told": (
        "整单元为零且属高风险情形的，由人说明理由前均视为高风险；人另行发现的也在内。",
        "Units that failed altogether where the guide calls that a high risk count until a person says why not. "
        "What people found counts, too.",
    ),
    "crypto_failed": ("单元得分为零", "the unit failed altogether"),
    "crypto_lowered": ("已由人降级", "lowered by a person"),
    "crypto_found": ("由人发现", "found by a person"),
    "crypto_improve": ("改进建议", "What to improve"),
    "crypto_need_D": ("采用密码技术并使其有效（D）", "use cryptography, effectively (D)"),
    "crypto_need_A": ("改用合规的算法与技术（A）", "change to a compliant algorithm and technique (A)"),
    "crypto_need_K": ("使密钥管理安全、密码模块合规（K）", "manage keys securely, with a compliant module (K)"),
    "crypto_need_management": ("补齐管理要求", "complete what management asks for"),
    "crypto_confirm_told": (
        "通过线 60、结论划分以及各单元的应、宜、可，未与印刷文本核对。",
        "The pass line of 60, the conclusion, and shall, should or may of the units were not compared with a printed text.",
    ),
    "shall": ("应", "shall"),
    "should": ("宜", "should"),
    "may": ("可", "may"),
    FORMULA: ("70 × 技术各层面加权平均 + 30 × 管理各层面加权平均（2023 年规则）", FORMULA),
}  # fmt: skip
