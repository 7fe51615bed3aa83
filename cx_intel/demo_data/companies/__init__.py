"""Names, industries and places of made-up companies."""
