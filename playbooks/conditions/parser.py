"""Words of a condition into a tree: OR of ANDs of NOTs of comparisons (STIX 2.1, 9.9)."""

from __future__ import annotations

from playbooks.conditions.errors import ConditionError
from playbooks.conditions.patterns import LONGEST_PATTERN, fault_of
from playbooks.conditions.tokens import Token, tokens
from playbooks.conditions.tree import Comparison, Condition, Exists, Joined, Node, Not, Operand

LONGEST = 10_000
MOST_COMPARISONS = 500
DEEPEST = 50
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET")


def parse(text: str) -> Condition:
    """The condition. Raises ConditionError with the letter where it stops being one."""
    if len(text) > LONGEST:
        raise ConditionError(f"a condition has at most {LONGEST:,} letters", "divide it over two steps")
    if not text.strip():
        raise ConditionError("the condition is empty", "for example __severity__:value >= 7")
    return Condition(text, _Parser(tokens(text)).whole())


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.count = 0

    def whole(self) -> Node:
        root = self.either()
        if self.now.kind != "end":
            raise self.error("the condition goes on after its end", "join comparisons by AND or OR")
        return root

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def error(self, message: str, hint: str = "") -> ConditionError:
        return ConditionError(message, hint, self.now.position)

    def take(self, kind: str, *texts: str) -> Token | None:
        token = self.now
        if token.kind != kind or (texts and token.text not in texts):
            return None
        self.at += 1
        return token

    def either(self) -> Node:
        parts = [self.both()]
        while self.take("word", "OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined(False, tuple(parts))

    def both(self) -> Node:
        parts = [self.one()]
        while self.take("word", "AND"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))

    def one(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} parentheses or NOTs within each other", "simplify it")
        try:
            if self.take("word", "NOT"):
                return Not(self.one())
            if self.take("sign", "("):
                inner = self.either()
                if not self.take("sign", ")"):
                    raise self.error("a parenthesis is never closed", "write ) here")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Node:
        self.count += 1
        if self.count > MOST_COMPARISONS:
            raise self.error(f"more than {MOST_COMPARISONS} comparisons", "use IN (…)")
        if self.take("word", "EXISTS"):
            operand = self.operand()
            if not operand.name:
                raise ConditionError("EXISTS asks about a variable", "EXISTS __name__:value", operand.position)
            return Exists(operand)
        left = self.operand()
        negated = self.take("word", "NOT") is not None
        operator = self.operator()
        right = self.members() if operator.text == "IN" else (self.operand(),)
        found = Comparison(left, operator.text, right, operator.position)
        self.refuse(found)
        return Not(found) if negated else found

    def operator(self) -> Token:
        token = self.now
        if token.kind not in ("sign", "word") or token.text not in _OPERATORS:
            raise self.error("an operator is missing here", "one of " + " ".join(_OPERATORS))
        self.at += 1
        return token

    def operand(self) -> Operand:
        token = self.now
        if token.kind == "variable":
            self.at += 1
            return Operand(token.text, "", token.position)
        if token.kind in ("text", "number", "flag"):
            self.at += 1
            return Operand("", token.text, token.position)
        raise self.error("a variable or a value is missing here", "__name__:value, 'text', 7 or true")

    def members(self) -> tuple[Operand, ...]:
        if not self.take("sign", "("):
            raise self.error("IN needs a list", "IN ('a', 'b')")
        found = [self.operand()]
        while self.take("sign", ","):
            found.append(self.operand())
        if not self.take("sign", ")"):
            raise self.error("the list of IN is never closed", "write ) after its last value")
        return tuple(found)

    def refuse(self, found: Comparison) -> None:
        """What is wrong whatever the variables are."""
        if not found.left.name and (found.operator == "IN" or not found.right[0].name):
            raise ConditionError("no variable is compared here", "__name__:value stands on one side", found.left.position)
        literal = found.right[0]
        if found.operator not in ("LIKE", "MATCHES") or literal.name:
            return
        if len(literal.text) > LONGEST_PATTERN:
            raise ConditionError(f"a pattern has at most {LONGEST_PATTERN:,} letters", "shorten it", literal.position)
        if found.operator == "MATCHES" and (fault := fault_of(literal.text)):
            raise ConditionError(f"the regular expression does not work: {fault[:200]}", "RE2's syntax", literal.position)
