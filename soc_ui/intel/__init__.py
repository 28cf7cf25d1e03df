"""Indicators of the console: what is watched for, and how often it was met."""
