"""Autoformer: forecasting by decomposition and auto-correlation (Wu et al., NeurIPS 2021)."""

from backbones.autoformer.autoformer import Autoformer

__all__ = ["Autoformer"]
