"""Raw tables typed and judged; rows that do not fit go to quarantine."""
