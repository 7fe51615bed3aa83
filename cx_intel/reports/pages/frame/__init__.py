"""What all pages share: their parts as data, the frame around them, and how they are written."""
