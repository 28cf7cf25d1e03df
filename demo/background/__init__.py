"""Normal days: what the estate writes when nothing is wrong. No rule may fire on them and no boundary is crossed without a conduit.

A *scene* is what one act leaves in the logs (a citizen's visit, a poll of a PLC, an administrator's session). Each kind of scene
happens by chance, so many times an hour, in its rhythm of day and night, working days and weekends of the city.
"""

from demo.background.day import background

__all__ = ["background"]
