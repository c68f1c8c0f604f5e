"""Formats of other programs for marked images."""
