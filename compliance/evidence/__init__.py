"""Evidence of verdicts: kept sealed where people bring it, found by what a verdict names, its seal checked, opened on record."""
