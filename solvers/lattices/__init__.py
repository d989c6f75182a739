"""Selection and partition over all 2^N − 1 groups of a gain model, by column generation."""
