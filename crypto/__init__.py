"""Domestic (GM) cryptography. Today SM3 only; SM2, SM4, channels and sealed evidence follow with issue 5."""
