"""Settings of where raw tables come from."""
