"""MLPS systems (定级对象): level and filing, people, the objects that are assessed, and what applies to them and why."""
