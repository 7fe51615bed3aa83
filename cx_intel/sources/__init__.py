"""How raw tables come in."""
