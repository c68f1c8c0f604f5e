"""Settings that a product may have of its own: the grid that is tried, what is asked for, and what was accepted."""
