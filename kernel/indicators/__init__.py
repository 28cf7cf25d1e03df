"""Indicators of compromise as detectors look them up (ARCHITECTURE, "indicator index").

values           kinds of indicators, and the one way each value is written
write_index      all that is in force, as one file that is replaced atomically
Index            the file, opened for reading: a filter that says "surely not" for nearly everything, then an exact look
IndexSource      the newest readable index, for workers
"""
