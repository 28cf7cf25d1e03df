"""Conditions of if and while steps: comparison expressions of STIX 2.1 patterns (9.7, 9.8) over variables of a playbook.

    >>> condition = parse("__severity__:value >= 7 AND NOT (__ip__:value ISSUBSET '10.0.0.0/8')")
    >>> sorted(condition.names())
    ['__ip__', '__severity__']

Operators: ``=`` (``==``), ``!=`` (``<>``), ``<``, ``<=``, ``>``, ``>=``, ``IN ('a', 'b')``, ``LIKE`` (``%`` any text, ``_`` one
letter), ``MATCHES`` (RE2, linear time), ``ISSUBSET``, ``ISSUPERSET`` (IPv4 and IPv6), each also after ``NOT``; ``EXISTS``;
``AND`` before ``OR``, ``NOT``, parentheses. The declared type of the variable decides how is compared, not the look of the text.
"""

from playbooks.conditions.errors import ConditionError
from playbooks.conditions.parser import parse
from playbooks.conditions.tree import Condition

__all__ = ["Condition", "ConditionError", "parse"]
