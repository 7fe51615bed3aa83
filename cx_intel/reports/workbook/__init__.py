"""The workbook for leaders of customer success."""
