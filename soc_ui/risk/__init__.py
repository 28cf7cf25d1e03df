"""Pages of risk: zones and assets by risk, movers, one with its reasons, the numbers behind it."""
