"""Trigram indexes of the titles of incidents and tickets, kept by triggers; SQLite only, PostgreSQL reads the titles.

A later migration that makes one of the two tables anew has to make its triggers anew, too.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE VIRTUAL TABLE incident_title USING fts5(body, tokenize='trigram')",
    "INSERT INTO incident_title (rowid, body) SELECT id, number || ' ' || title FROM incidents",
    """CREATE TRIGGER incident_title_made AFTER INSERT ON incidents BEGIN
        INSERT INTO incident_title (rowid, body) VALUES (NEW.id, NEW.number || ' ' || NEW.title);
    END""",
    """CREATE TRIGGER incident_title_changed AFTER UPDATE OF number, title ON incidents
    WHEN NEW.number <> OLD.number OR NEW.title <> OLD.title BEGIN
        UPDATE incident_title SET body = NEW.number || ' ' || NEW.title WHERE rowid = OLD.id;
    END""",
    """CREATE TRIGGER incident_title_gone AFTER DELETE ON incidents BEGIN
        DELETE FROM incident_title WHERE rowid = OLD.id;
    END""",
    "CREATE VIRTUAL TABLE ticket_title USING fts5(body, tokenize='trigram')",
    "INSERT INTO ticket_title (rowid, body) SELECT id, title FROM tickets",
    """CREATE TRIGGER ticket_title_made AFTER INSERT ON tickets BEGIN
        INSERT INTO ticket_title (rowid, body) VALUES (NEW.id, NEW.title);
    END""",
    """CREATE TRIGGER ticket_title_changed AFTER UPDATE OF title ON tickets WHEN NEW.title <> OLD.title BEGIN
        UPDATE ticket_title SET body = NEW.title WHERE rowid = OLD.id;
    END""",
    """CREATE TRIGGER ticket_title_gone AFTER DELETE ON tickets BEGIN
        DELETE FROM ticket_title WHERE rowid = OLD.id;
    END""",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _STATEMENTS:
            op.execute(statement)
