"""Training many groups: one by one, or as one stack."""
