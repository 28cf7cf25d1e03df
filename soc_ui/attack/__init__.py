"""The ATT&CK matrix: which techniques have rules, and which were seen."""
