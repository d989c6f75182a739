"""Problems: what a grouping shall reach, what it must keep to, and the program that says both."""
