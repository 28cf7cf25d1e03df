"""How a notification travels: one file per kind of target behind the contract of ``contract``."""
