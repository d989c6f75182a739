"""Partitions of pairwise graphs: what the solvers of graph problems share."""
