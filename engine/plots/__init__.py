"""Charts as numbers, and their drawing."""
