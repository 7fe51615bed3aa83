"""Tables as files, switched in one step."""
