"""Synthetic corpora: AI-Hub's layout and names with invented texts; imports `schemas` and the tree of errors, and no other room."""
