"""What other settings would change, for people: the facts, and the page and table made of them."""
