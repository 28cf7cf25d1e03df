"""Pages of playbooks: the library, runs, and what waits for a person."""
