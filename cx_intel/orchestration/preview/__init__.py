"""The newest day judged by other settings, without a load and without a write."""
