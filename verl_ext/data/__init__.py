"""Datasets that verl loads: SFT conversations with exact masks, RL rows with problems."""
