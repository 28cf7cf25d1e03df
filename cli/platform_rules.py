"""What the platform tells of itself as alerts, described like rules so that people read them in their language."""

from __future__ import annotations

from operations.certificates.expiry_alerts import ENDED, ENDING, ENGINE
from soc_ui.services import RuleInfo

_FILE = "operations/certificates/expiry_alerts.py"
_TEXT = (
    "The scheduler looks at authorities, issued certificates, certificates of people and the files of [links] and [certificates]."
)
_TEXT_ZH = "调度角色定期检查：证书机构、已签发证书、人员登录证书，以及 [links] 与 [certificates] 配置的文件。"

PLATFORM_RULES = (
    RuleInfo(
        id=ENDING,
        title="Certificate or revocation list ends soon",
        title_zh="证书或吊销列表即将到期",
        level="high",
        engine=ENGINE,
        source_text=_TEXT,
        source_text_zh=_TEXT_ZH,
        file=_FILE,
        status="stable",
        description="Renew it before links, sign-in or the console stop working: ./liandun crypto ca renew, or ask its issuer.",
        description_zh="请在链路、登录或控制台中断之前更新：./liandun crypto ca renew，或向签发机构申请。",
    ),
    RuleInfo(
        id=ENDED,
        title="Certificate or revocation list has ended",
        title_zh="证书或吊销列表已到期",
        level="critical",
        engine=ENGINE,
        source_text=_TEXT,
        source_text_zh=_TEXT_ZH,
        file=_FILE,
        status="stable",
        description="It is refused by everybody who checks it. Renew it now: ./liandun crypto ca renew, or ask its issuer.",
        description_zh="校验方都会拒绝它。请立即更新：./liandun crypto ca renew，或向签发机构申请。",
    ),
)
