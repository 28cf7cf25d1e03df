"""What is not met, until it is: findings, their tickets, re-tests, waivers, and how mending goes on."""
