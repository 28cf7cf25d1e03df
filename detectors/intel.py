"""Indicators → detections: an event that names an address, a domain, a URL, a file or a sender that is known to be bad.

Which of the fixed rules it is hangs on who acted: a device of the city that reaches out to an indicator is more likely compromised
than one at whose door an indicator knocks. The level is the rule's, lower where the source of the indicator is less sure of it or a
firewall stopped the traffic. A device and an indicator are told once per ``quiet.QUIET_SECONDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from detectors.quiet import Quiet
from kernel.detection import LEVELS, Detection, MatchedField, detection_id
from kernel.event import Event
from kernel.indicators.index import EMAIL, HASH, URL, Index, Indicator
from kernel.indicators.values import url

SURE, LIKELY = 75, 40
"""From this confidence the level is the rule's; from the second it is one lower; below two lower."""

OUTGOING, INCOMING, FILE, MAIL = "indicator-contact", "indicator-approach", "indicator-file", "indicator-mail"

_Look = Callable[[Index, str], Indicator | None]


class IntelRule(msgspec.Struct, frozen=True):
    """One of the fixed rules of this detector."""

    id: str
    name: str
    name_zh: str
    level: str
    description: str
    description_zh: str
    tags: tuple[str, ...]
    falsepositives: tuple[str, ...]
    falsepositives_zh: tuple[str, ...]


RULES: dict[str, IntelRule] = {
    rule.id: rule
    for rule in (
        IntelRule(
            OUTGOING,
            "Contact with a known bad address or name",
            "内部设备联系已知恶意地址或域名",
            "high",
            "A device asked for, reached or was led to an address, domain or URL that is a known indicator.",
            "设备查询、访问或被引向了情报库中的恶意地址、域名或链接。",
            ("attack.command-and-control", "attack.t1071"),
            ("A shared hosting address that serves harmless sites, too", "An indicator that is out of date"),
            ("共享托管地址同时承载正常网站", "情报已过时"),
        ),
        IntelRule(
            INCOMING,
            "Approach from a known bad address",
            "已知恶意地址访问本市系统",
            "medium",
            "An address that is a known indicator sent traffic to the city.",
            "情报库中的恶意地址向本市系统发起通信。",
            ("attack.reconnaissance", "attack.t1595"),
            ("Scanners of research institutes", "An address that has a new owner"),
            ("科研机构的扫描器", "地址已更换使用者"),
        ),
        IntelRule(
            FILE,
            "File with a known bad hash",
            "出现已知恶意文件",
            "high",
            "A file or program has the hash of a known indicator.",
            "文件或程序的哈希值与情报库中的恶意样本一致。",
            ("attack.execution", "attack.t1204.002"),
            ("A sample that analysts handle on purpose",),
            ("分析人员有意处理的样本",),
        ),
        IntelRule(
            MAIL,
            "Mail from a known bad sender",
            "收到已知恶意发件人的邮件",
            "medium",
            "The sender of a mail is a known indicator.",
            "邮件发件人在情报库中被标记为恶意。",
            ("attack.initial-access", "attack.t1566"),
            ("A compromised mailbox that was cleaned meanwhile",),
            ("曾被盗用、现已恢复的邮箱",),
        ),
    )
}


def _url(index: Index, text: str) -> Indicator | None:
    try:
        return index.find(URL, url(text))
    except ValueError:
        return None


def _lower(family: int) -> _Look:
    return lambda index, text: index.find(family, text.lower())


def _domain(index: Index, text: str) -> Indicator | None:
    return index.find_domain(text.lower().rstrip("."))


_FIELDS: tuple[tuple[str, str, _Look], ...] = (
    ("destination.ip", OUTGOING, Index.find_address),
    ("source.ip", INCOMING, Index.find_address),
    ("dns.question.name", OUTGOING, _domain),
    ("dns.resolved_ip", OUTGOING, Index.find_address),
    ("tls.client.server_name", OUTGOING, _domain),
    ("url.domain", OUTGOING, _domain),
    ("destination.domain", OUTGOING, _domain),
    ("url.full", OUTGOING, _url),
    ("url.original", OUTGOING, _url),
    ("file.hash.md5", FILE, _lower(HASH)),
    ("file.hash.sha1", FILE, _lower(HASH)),
    ("file.hash.sha256", FILE, _lower(HASH)),
    ("process.hash.md5", FILE, _lower(HASH)),
    ("process.hash.sha1", FILE, _lower(HASH)),
    ("process.hash.sha256", FILE, _lower(HASH)),
    ("dll.hash.md5", FILE, _lower(HASH)),
    ("dll.hash.sha1", FILE, _lower(HASH)),
    ("dll.hash.sha256", FILE, _lower(HASH)),
    ("email.from.address", MAIL, _lower(EMAIL)),
    ("email.sender.address", MAIL, _lower(EMAIL)),
    ("email.reply_to.address", MAIL, _lower(EMAIL)),
)
FIELDS: tuple[str, ...] = tuple(field for field, _, _ in _FIELDS)
"""Fields of events that are looked up."""

_MOST_VALUES = 64
_MOST_REMEMBERED = 50_000
"""Values of each way to look whose answer is kept: traffic is made of the same few addresses and names again and again."""

_Answers = dict[str, Indicator | None]


class IntelDetector:
    """Implements :class:`kernel.pipeline.Detector`; ``index`` gives the indicators in force."""

    def __init__(self, index: Callable[[], Index]) -> None:
        self._index = index
        self._asked: Index | None = None
        self._answers: dict[_Look, _Answers] = {look: {} for _, _, look in _FIELDS}
        self._plan = [(field, rule, look, self._answers[look]) for field, rule, look in _FIELDS]
        self._quiet = Quiet()

    def process(self, events: Sequence[Event]) -> list[Detection]:
        """Detections of events, in order."""
        index = self._index()
        if not index:
            return []
        if index is not self._asked:
            self._asked = index
            self._forget(0)
        self._forget(_MOST_REMEMBERED)
        return [found for event in events if (met := self._met(event, index)) for found in self._told(event, met)]

    def state(self) -> bytes:
        return self._quiet.state()

    def restore(self, state: bytes) -> None:
        """Raises ValueError for a state of another version."""
        self._quiet.restore(state)

    def _forget(self, most: int) -> None:
        for answers in self._answers.values():
            if len(answers) > most:
                answers.clear()

    def _met(self, event: Event, index: Index) -> list[tuple[str, str, str, Indicator]]:
        """Field, value, rule and indicator of each hit: nearly always none, so nothing is made until there is one."""
        met = []
        for field, rule, look, answers in self._plan:
            value = event.get(field)
            if value is None:
                continue
            for text in (value,) if isinstance(value, str) else value[:_MOST_VALUES] if isinstance(value, list) else ():
                if not isinstance(text, str):
                    continue
                if text not in answers:
                    answers[text] = look(index, text)
                if (found := answers[text]) is not None:
                    met.append((field, text, rule, found))
        return met

    def _told(self, event: Event, met: list[tuple[str, str, str, Indicator]]) -> Iterator[Detection]:
        hits: dict[int, tuple[str, Indicator, list[MatchedField]]] = {}
        for field, text, rule, found in met:
            if _holds(found, event["@timestamp"]):
                matched = MatchedField(field, text, found.value, f"{found.origin} #{found.id}")
                hits.setdefault(found.id, (rule, found, []))[2].append(matched)
        for rule, found, matched_fields in hits.values():
            if (detection := self._tell(rule, found, matched_fields, event)) is not None:
                yield detection

    def _tell(self, rule_id: str, found: Indicator, matched: list[MatchedField], event: Event) -> Detection | None:
        group = {"indicator": found.value} | _who(rule_id, event)
        if not self._quiet.is_news("\0".join((rule_id, *group.values())), event["@timestamp"]):
            return None
        rule = RULES[rule_id]
        return Detection(
            id=detection_id(f"{rule_id}:{found.id}", [event["event.id"]]),
            rule_id=rule_id,
            rule_name=rule.name,
            level=_level(rule.level, found.confidence, blocked="denied" in (event.get("event.type") or ())),
            engine="intel",
            time=event["@timestamp"],
            event_ids=[event["event.id"]],
            event=event,
            tags=list(rule.tags),
            matched=sorted(matched, key=lambda one: one.field),
            description=" ".join(filter(None, (rule.description, rule.description_zh, found.note))),
            references=[found.reference] if found.reference else [],
            falsepositives=list(rule.falsepositives),
            group=group,
        )


def _holds(found: Indicator, time: str) -> bool:
    """Not ended when the event happened."""
    return not found.valid_until or time < found.valid_until


def _who(rule_id: str, event: Event) -> dict[str, str]:
    """The device of ours, by which alerts are told apart; an indicator that knocks at many doors is one alert."""
    if rule_id in (INCOMING, MAIL):
        return {}
    for field in ("host.name", "source.ip", "host.ip") if rule_id == FILE else ("source.ip", "host.name"):
        value = event.get(field)
        if value:
            return {field: str(value[0] if isinstance(value, list) else value)}
    return {}


def _level(level: str, confidence: int, *, blocked: bool) -> str:
    rank = LEVELS.index(level) - (0 if confidence >= SURE else 1 if confidence >= LIKELY else 2) - (1 if blocked else 0)
    return LEVELS[max(1, rank)]
