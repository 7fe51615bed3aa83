"""What the health score said on past days, and what came of it."""
