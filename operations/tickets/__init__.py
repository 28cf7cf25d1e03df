"""Tickets between the operator and the bureaus: remediation and notification, with receipts, transfer and delegation."""
