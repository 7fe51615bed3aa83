"""What staging derives for each canonical table."""
