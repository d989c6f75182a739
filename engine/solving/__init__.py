"""Solving: the contract of solvers, solutions with their certificates, and the referee of both."""
