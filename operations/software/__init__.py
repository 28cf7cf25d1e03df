"""Software of assets: what runs where, in which version, and how versions and names are compared."""
