"""The charts of the reports as Altair specifications: one builder a chart, for pages and pictures alike."""
