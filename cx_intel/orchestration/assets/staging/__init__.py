"""Which rows and days of what was delivered are judged, and from which sources."""
