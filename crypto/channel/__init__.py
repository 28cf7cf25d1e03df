"""Links between hosts: TLS 1.3 with the domestic suite (RFC 8998), classic TLS 1.3 where it is configured, TLCP (GB/T 38636).

Import :mod:`crypto.channel.tls13` only in a process whose OPENSSL_CONF is ours: see :mod:`crypto.channel.process`.
"""
