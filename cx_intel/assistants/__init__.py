"""What an assistant may ask of the published copies: reading alone, in bounded answers."""
