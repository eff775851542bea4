"""Explanation: what became of one label file."""
