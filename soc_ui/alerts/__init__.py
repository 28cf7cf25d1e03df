"""The queue of alerts and the page of one alert."""
