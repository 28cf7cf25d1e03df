"""MLPS level 3, proved: the catalogue of requirements, verdicts, scoring by template."""
