"""Interviews and looks on site: what has to be asked by a person, and answers that were given while there was no network."""
