"""What the columns of a file mean and how their cells are written, from names and from the first rows."""
