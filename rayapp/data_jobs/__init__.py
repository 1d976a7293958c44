"""Loading and deciding at scale, on Ray Data."""
