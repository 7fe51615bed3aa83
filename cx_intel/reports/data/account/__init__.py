"""What stands in an opened account: its details, and links into other systems."""
