"""The three training stages of the paper (Su et al. 2020, section 3.5) on one loop."""
