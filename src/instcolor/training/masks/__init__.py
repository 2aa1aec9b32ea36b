"""The stage that trains the mask network: from people with true masks, and from boxes and colors of everything else."""
