"""The shelf: playbooks of this city in their versions, which one is in force, and runs of it (docs/playbooks.md, Shelf)."""
