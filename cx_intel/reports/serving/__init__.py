"""Reports and exports of all portfolios over HTTP, read-only: what is served, and the process that serves it."""
