"""The yearly summary as a document, for PDF and DOCX (operations.documents)."""

from __future__ import annotations

from operations.documents import Document, Facts, Heading, Paragraph, Table
from operations.services.summary_words import service_word, word
from operations.services.supervision import GB, Kept, Summary


def document(summary: Summary, issuer: str, issued: str, language: str = "zh") -> Document:
    """``issuer`` and ``issued`` stand at the foot."""

    def say(key: str) -> str:
        return word(key, language)

    kept = ("service", "applied", "issued", "rejected", "waiting", "overdue", "late", "accept_hours", "issue_hours")
    months = ("month", "events", "gigabytes", "permits", "certificates", "searches")
    blocks = (
        Paragraph(say("note")),
        Heading(say("services")),
        Table(tuple(map(say, kept)), tuple(_service(one, language) for one in summary.services), (3, 1, 1, 1, 1, 1, 1, 2, 2)),
        Heading(say("usage")),
        Table(
            tuple(map(say, months)),
            tuple(
                (
                    one.month,
                    f"{one.events:,}",
                    f"{one.bytes / GB:,.3f}",
                    str(one.permits),
                    str(one.certificates),
                    f"{one.searches:,}",
                )
                for one in summary.months
            ),
        ),
        Facts(((say("quota"), f"{summary.quota_gigabytes:,}"),)),
        Heading(say("tickets")),
        Facts(
            (
                (say("received"), str(summary.tickets)),
                (say("done"), str(summary.tickets_done)),
                (say("tickets_overdue"), str(summary.tickets_overdue)),
            )
        ),
    )
    return Document(f"{summary.bureau} {summary.year} {say('title')}", blocks, issuer=issuer, issued=issued, language=language)


def _service(one: Kept, language: str) -> tuple[str, ...]:
    counts = (one.applied, one.issued, one.rejected, one.waiting, one.overdue, one.late)
    means = ("—" if value is None else f"{value:.1f}" for value in (one.accept_hours, one.issue_hours))
    return (service_word(one.service, language), *map(str, counts), *means)
