"""Continual improvement (持续改进): what was found wanting, who mends it until when, and whether it helped."""
