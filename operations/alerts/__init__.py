"""Alerts: what people triage. Detections of the same rule on the same entities within a window become one alert."""
