"""Verdicts as browsers send them: about one image, about many at once, undone, and shared between two people."""
