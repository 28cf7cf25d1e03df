"""CACAO Security Playbooks 2.0: read, checked, signed and run (docs/playbooks.md).

``model`` is a playbook as it is read, ``reading`` makes it out of bytes, ``check`` says what is wrong with it, ``conditions`` are
the expressions of its branches, ``signatures`` who stands behind it. It may import operations,
kernel and crypto; soc_ui and cli import it.
"""
