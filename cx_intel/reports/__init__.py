"""What people read: pages, brief, workbook, exports and the data dictionary."""
