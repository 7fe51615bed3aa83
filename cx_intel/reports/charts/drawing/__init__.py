"""What charts are drawn with: frames, axes, colours and marks, and the picture of the dashboard."""
