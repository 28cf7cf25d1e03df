"""Pages of compliance (等保): systems, how they stand, and the controls with their verdicts."""
