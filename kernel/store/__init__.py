"""The event store: the contract (contract.py), the embedded lake (lake/), the distributed engine later."""
