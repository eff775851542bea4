"""Submission: a finished build to fine-tuning jobs, each once, whatever breaks; imports no SDK."""
