"""Files in many formats and spellings, as text columns under canonical names."""
