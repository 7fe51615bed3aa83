"""Answers to questions about one account, or about two days, for the terminal and for assistants."""
