"""Plain reference code for known-answer files only: curves and modes that the product does not use. Not constant time, not fast.

``weierstrass`` (SM2 on any curve, with any hash), ``zuc`` (128-EEA3, 128-EIA3), ``sm9`` (GB/T 38635), ``xts`` (SM4-XTS).
Nothing of the platform imports this package, except ``crypto.vectors``.
"""
