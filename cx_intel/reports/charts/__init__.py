"""The charts of the reports as Vega-Lite specifications: one builder a chart, for pages and pictures alike."""
