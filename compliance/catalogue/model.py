"""What the catalogue holds. ``to_be_confirmed`` names the fields of a record that nobody has compared with the printed standard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

Attribute = Literal["S", "A", "G"]
"""S information security, A service assurance, G general (GB/T 22239-2019, annex A)."""

Group = Literal["technical", "management"]
_TECHNICAL = frozenset({"PES", "CNS", "ABS", "CES", "SMC"})


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement (检查项).

    level3           against level 2: the same, enhanced or new; ``level2_ref``: its clause there, "" = none
    modal            "may" where the standard says 可: whether a missing one counts is for the assessor to say
    objects          kinds of objects that it is assessed on (GB/T 28448-2019)
    evidence         auto: from machine data; assisted: machine data and a person; manual: documents, interview, on site
    probes           ways to gather evidence (probes.yaml)
    assessment_unit  of GB/T 28448-2019
    high_risk_2025, major_hazard_2025   cases and triggers that a failure may be (high-risk-2025.yaml)
    """

    id: str
    zh: str
    en: str
    level3: Literal["same", "enhanced", "new"]
    objects: tuple[str, ...]
    evidence: Literal["auto", "assisted", "manual"]
    probes: tuple[str, ...]
    assessment_unit: str
    level2_ref: str = ""
    modal: Literal["shall", "may"] = "shall"
    high_risk_2025: tuple[str, ...] = ()
    major_hazard_2025: tuple[str, ...] = ()
    to_be_confirmed: tuple[str, ...] = ()


class ControlPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of items that share one attribute (安全控制点)."""

    id: str
    zh: str
    en: str
    attribute: Attribute
    items: tuple[Item, ...]


class SecurityClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer of requirements (安全类)."""

    id: str
    code: str
    zh: str
    en: str
    control_points: tuple[ControlPoint, ...]

    @property
    def group(self) -> Group:
        """The first five classes are technical, the others are management."""
        return "technical" if self.code in _TECHNICAL else "management"


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requirements that hold for one kind of system only: cloud, mobile, IoT, industrial control (clauses 8.2 to 8.5)."""

    id: str
    zh: str
    en: str
    classes: tuple[SecurityClass, ...]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """A measure of annex H.4 (big data): for information, never counted."""

    id: str
    class_: str
    zh: str
    en: str
    evidence: Literal["auto", "assisted", "manual"]


class Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item with where it stands. ``extension``: "" for the general requirements."""

    item: Item
    control_point: ControlPoint
    security_class: SecurityClass
    extension: str = ""


class Requirements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GB/T 22239-2019, level 3. ``digest`` names this version of the data: SM3 over what was read, hexadecimal."""

    standard: str
    title_zh: str
    title_en: str
    level: int
    classes: tuple[SecurityClass, ...]
    extensions: tuple[Extension, ...] = ()
    reference: tuple[Reference, ...] = ()
    digest: str = ""

    def placed(self) -> Iterator[Placed]:
        """All items in the order of the standard, the general ones first."""
        for extension, classes in (("", self.classes), *((one.id, one.classes) for one in self.extensions)):
            for security_class in classes:
                for point in security_class.control_points:
                    for item in point.items:
                        yield Placed(item, point, security_class, extension)


class HighRiskCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A situation that is a high risk. Any of ``situations_zh`` is enough; a person decides whether a mitigation lowers it."""

    id: str
    zh: str
    min_level: int
    clause: str
    en: str = ""
    condition: str = ""
    situations_zh: str = ""
    mitigation_zh: str = ""
    major_hazard: str = ""
    can_be_downgraded: bool = True
    to_be_confirmed: tuple[str, ...] = ()


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trigger of 重大风险隐患. ``clause``: "" for those of no single clause."""

    id: str
    zh: str
    en: str
    clause: str = ""


class HighRiskGuide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guide that says what is a high risk."""

    document: str
    year: int
    cases: tuple[HighRiskCase, ...]
    hazards: tuple[Hazard, ...] = ()
    thresholds: dict[str, str] = {}


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to gather evidence; ``collection`` says by which access."""

    id: str
    zh: str
    en: str
    collection: str


class CryptoRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which level on a failed unit is a high risk, and what may lower it at the assessor's judgement."""

    min_level: int
    mitigation_zh: str = ""


class CryptoUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit of GB/T 39786-2021 with its weight in its layer (rules of 2023)."""

    id: str
    zh: str
    en: str
    modal: Literal["shall", "should", "may"]
    weight: float
    text_zh: str = ""
    high_risk: CryptoRisk | None = None
    to_be_confirmed: tuple[str, ...] = ()


class CryptoLayer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer of units; ``points`` of the 100."""

    id: str
    zh: str
    en: str
    group: Group
    points: int
    units: tuple[CryptoUnit, ...]


class AlwaysHighRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """High risks at every level, whatever the unit."""

    zh: str
    en: str


class CryptoRequirements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GB/T 39786-2021, level 3."""

    standard: str
    title_zh: str
    title_en: str
    level: int
    layers: tuple[CryptoLayer, ...]
    general_high_risk: tuple[AlwaysHighRisk, ...] = ()
    digest: str = ""

    def units(self) -> Iterator[tuple[CryptoLayer, CryptoUnit]]:
        """All units with their layers."""
        for layer in self.layers:
            for unit in layer.units:
                yield layer, unit
