"""The three training stages of the paper (Su et al. 2020) on one loop."""
