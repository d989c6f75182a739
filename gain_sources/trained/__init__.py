"""What the sources that train groups share."""
