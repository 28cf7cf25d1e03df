"""What finds attacks in events and files. A detector knows no source and returns :class:`kernel.detection.Detection`."""
