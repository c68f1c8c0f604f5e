"""Settings of a product, chosen by verdicts: what they are chosen by, and what is said of them."""
