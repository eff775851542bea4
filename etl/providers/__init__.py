"""Providers: profiles, models and accounts, and the door to a fine-tuning API."""
