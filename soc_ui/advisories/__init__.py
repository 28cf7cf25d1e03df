"""Advisories and what of the city they concern."""
