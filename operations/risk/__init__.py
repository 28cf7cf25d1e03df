"""The predictive view: risk of every asset and zone, with its reasons, kept day by day."""
