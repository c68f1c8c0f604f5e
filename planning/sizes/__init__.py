"""Image size and tiles of a lot, as far as its photographs decide: proportions kept, flaws to be found, hints."""
