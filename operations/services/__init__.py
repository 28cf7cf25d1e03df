"""The service catalogue (运维运营): what bureaus apply for, how it is accepted and issued."""
