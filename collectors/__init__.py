"""One small file per source. A collector turns bytes from outside into :class:`kernel.record.RawRecord` and knows no rule."""
