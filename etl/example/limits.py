"""Limits that every fine-tuning API has in common."""

FEWEST_EXAMPLES = 10
"""Fine-tuning APIs refuse a file with fewer (OpenAI, "Preparing your dataset": at least 10 examples)."""
