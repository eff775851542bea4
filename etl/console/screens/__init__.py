"""Screens: what a person sees, a module a subject; prints to the consoles it is given and decides nothing."""
