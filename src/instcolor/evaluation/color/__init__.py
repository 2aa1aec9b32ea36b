"""How close the colors come to the true ones."""
