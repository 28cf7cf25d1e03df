"""The Sigma engine: load, route, compile, match, explain, correlate. Start at :mod:`detectors.sigma.engine`."""
