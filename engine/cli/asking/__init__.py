"""From the options of a command to what they ask for."""
