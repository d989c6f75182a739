"""Parts of the Autoformer: decomposition, auto-correlation and layers."""
