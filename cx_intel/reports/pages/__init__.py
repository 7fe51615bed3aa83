"""What stands on each page of the reports, a page a module."""
