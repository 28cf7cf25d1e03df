"""Protected inputs: syslog over TLS, HTTPS, and forwarders, over any kind of link of crypto.channel."""
