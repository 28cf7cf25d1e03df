"""Running playbooks: ``machine`` decides (no input or output), ``journal`` keeps what happened, ``executor`` does both for many
runs."""
