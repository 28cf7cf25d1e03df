"""Pages before and after work: first-run set-up, log in, log out."""
