"""Reports of other tools, taken in as findings: OpenSCAP, lynis, Nessus, Wazuh (docs/compliance.md, Reports of other tools).

Each reader turns a file into the same results; which items a rule speaks to stands in mapping.yaml alone.
"""
