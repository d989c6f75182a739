"""Images and their tasks: readers of image sets, and the base of image instances."""
