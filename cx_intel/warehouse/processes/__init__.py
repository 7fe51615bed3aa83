"""Who writes just now and which runs are alive; for whom files are; which program this is."""
