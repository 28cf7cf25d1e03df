"""Tuning of rules by the verdicts of their alerts: figures, what distinguishes false positives, exceptions, switched-off rules."""
