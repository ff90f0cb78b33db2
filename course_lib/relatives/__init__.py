"""What stacking is not, and what joins it."""
