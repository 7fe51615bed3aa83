"""What people did with the intervention list, written down so that refreshes, back-ups and erasures keep it."""
