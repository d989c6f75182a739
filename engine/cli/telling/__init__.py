"""From a result to what is printed."""
