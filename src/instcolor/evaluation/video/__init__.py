"""How good and how steady the colors of films are: clips whose motion is known, their figures, the table."""
