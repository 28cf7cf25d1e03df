"""TLS and TLCP endpoints: each file is one probe over what the endpoint offers (reading.tls)."""
