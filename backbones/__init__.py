"""Backbones: networks and their training, plug-ins of the measured gain source."""
