"""Duty (值班): roster, hand-over, shift log, escalation to the next person."""
