"""From the text of a YAML file to values that remember their lines."""
