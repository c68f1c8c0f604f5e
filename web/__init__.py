"""The review site: a store's nights, lots and images in a browser, and people's verdicts back into the store."""
