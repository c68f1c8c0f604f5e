"""Choosing settings by verdicts: how well each choice tells defective parts from good ones, which is to be taken."""
