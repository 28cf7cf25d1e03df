"""Who may do what: people, the three powers, proposals, passwords, second factors, lockout, sessions, scopes, keys, directories."""
