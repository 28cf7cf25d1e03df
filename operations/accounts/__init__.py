"""Who may do what: users, roles, passwords, lockout, sessions, API keys, first-run set-up."""
