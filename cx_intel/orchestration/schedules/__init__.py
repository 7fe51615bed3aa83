"""When a portfolio is refreshed by itself."""
