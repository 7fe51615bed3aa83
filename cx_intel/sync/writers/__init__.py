"""What the vendors are asked and sent, behind one protocol (`writer.py`)."""
