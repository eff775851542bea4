"""Pricing: what training on a finished build costs."""
