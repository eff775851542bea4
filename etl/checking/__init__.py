"""Checking: lines of chat JSONL against what fine-tuning APIs take; reads `example` and `providers`, changes nothing."""
