"""Benchmarks: a seeded corpus of any size, and contenders that read it, one process each."""
