"""The named figures that reports begin with: ARR, retention, what renewals are worth, and their changes."""
