"""Contracts of training: what an experiment is, and what a trained group gives."""
