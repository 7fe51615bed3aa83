"""Files of a source by the engine: their text cells under canonical names, in the spelling that staging reads."""
