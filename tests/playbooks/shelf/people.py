"""Who acts in tests of playbooks: one account of each role that has anything to do with them."""

from __future__ import annotations

from operations.accounts.schema import Principal

ANALYST = Principal(11, "li-analyst", "李分析", "analyst")
RESPONDER = Principal(12, "wang-responder", "王处置", "responder")
OTHER_RESPONDER = Principal(13, "zhao-responder", "赵处置", "responder")
DUTY = Principal(14, "chen-duty", "陈值班", "duty")
LEADER = Principal(19, "qian-leader", "钱领导", "leader")
DUTYS_KEY = Principal(14, "chen-duty", "陈值班", "duty", key_name="ci", granted=frozenset({"playbooks.edit", "playbooks.read"}))
SECADMIN = Principal(15, "sun-secadmin", "孙安全", "secadmin")
SYSADMIN = Principal(16, "zhou-sysadmin", "周系统", "sysadmin")
BUREAU = Principal(17, "water", "水务局", "bureau", zones=frozenset({"water-ot"}))
SCOPED = Principal(18, "scoped-duty", "有范围", "duty", zones=frozenset({"water-ot"}))
