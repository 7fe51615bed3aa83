"""The readers of the formats: CSV, Excel, JSON lines and documents, Parquet, each as text columns."""
