"""Names of what the audit trail records, in the language of the page."""

from __future__ import annotations

from soc_ui.locale import _


def names() -> dict[str, str]:
    """Action → its name, in the order of a menu."""
    return {
        "session.login": _("Log in"),
        "session.logout": _("Log out"),
        "setup.token": _("Make a set-up link"),
        "account.create": _("Create an account"),
        "account.change": _("Change an account"),
        "account.password": _("Change a password"),
        "account.unlock": _("Lift a lock"),
        "alert.change": _("Change an alert"),
        "alert.bulk_change": _("Change many alerts"),
        "alert.undo": _("Take a change back"),
        "alert.note": _("Write a note"),
        "events.search": _("Search events"),
        "events.top": _("Count values of events"),
        "events.export": _("Export events"),
        "key.create": _("Make a key"),
        "key.revoke": _("Revoke a key"),
        "webhook.create": _("Add a webhook"),
        "webhook.change": _("Change a webhook"),
        "webhook.disable": _("Switch a webhook off"),
        "webhook.delete": _("Delete a webhook"),
        "webhook.renew_secret": _("Renew a signing secret"),
        "webhook.test": _("Send a test message"),
        "webhook.replay": _("Send a message again"),
        "zone.create": _("Make a zone"),
        "zone.change": _("Change a zone"),
        "zone.delete": _("Delete a zone"),
        "zone.import": _("Import a zone plan"),
        "zone.export": _("Export the zone plan"),
        "conduit.create": _("Make a conduit"),
        "conduit.change": _("Change a conduit"),
        "conduit.delete": _("Delete a conduit"),
        "asset.register": _("Register an asset"),
        "asset.registered": _("Take an asset back"),
        "asset.retired": _("Retire an asset"),
        "asset.forget": _("Forget an asset"),
        "audit.verify": _("Verify the audit trail"),
        "audit.export": _("Export the audit trail"),
        "audit.purge": _("Purge the audit trail"),
        "audit.plant": _("Begin the audit tree"),
        "audit.restart": _("Replace the head file"),
        "audit.rotate_key": _("Replace the audit signing key"),
        "api.denied": _("Refused API call"),
    }
