"""What is noticed between schedules: late events, changed models, pending refreshes, new files."""
