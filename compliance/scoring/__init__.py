"""Scores and conclusions by template; formulas as plug-ins, each named in its result with what of it has to be confirmed."""
