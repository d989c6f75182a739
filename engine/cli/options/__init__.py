"""The options of the commands, their kinds, and how their text is read."""
