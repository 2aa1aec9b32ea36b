"""Torch networks in the place of exported ones, for training and evaluation."""
