"""Bodies of the tasks that choose settings for a product by verdicts."""
