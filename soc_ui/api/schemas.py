"""Shapes that requests and answers of the API share. Unknown parameters are refused, not ignored: a misspelt filter would otherwise
return everything."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List
from apiflask.fields import String as AnyString
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE, RAISE, ValidationError

from kernel.event import parse_timestamp
from soc_ui.numbers import MAX_ROW_ID

PAGE = 500


class String(AnyString):
    """Text. JSON can spell half a character (``\\ud800``), which no database can keep."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValidationError("Not valid Unicode text.") from error
        return text


class Strict(Schema):
    """Refuses what it does not know."""

    class Meta:
        unknown = RAISE


class Moment(String):
    """ISO 8601 moment; becomes @timestamp text. Without a zone it is UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = parse_timestamp(super()._deserialize(value, attr, data, **kwargs) or "")
        if text is None:
            raise ValidationError("Not an ISO 8601 moment, e.g. 2026-11-23T04:40:00Z.")
        return text


def many(*allowed: str, longest: int = 255) -> List:
    """A parameter that can be given several times; ``allowed`` none: any text of at most ``longest`` letters."""
    check = OneOf(allowed) if allowed else Length(1, longest)
    return List(String(validate=check), load_default=[], validate=Length(max=50))


class Natural(Integer):
    """A whole number from 0 that a row can have, as its id or version. JSON can spell longer ones, which no database can keep."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Range(0, MAX_ROW_ID), **kwargs)


class Paging(Strict):
    limit = Integer(load_default=50, validate=Range(1, PAGE), metadata={"description": "Rows a page"})
    cursor = String(load_default="", validate=Length(max=255), metadata={"description": "next_cursor of the page before"})


class IfMatchIn(Schema):
    """The other headers of a request are none of our business, hence EXCLUDE."""

    class Meta:
        unknown = EXCLUDE

    if_match = String(
        data_key="If-Match",
        load_default="",
        metadata={"description": "The ETag that the decision was made on, or * to change in any case; needed"},
    )
