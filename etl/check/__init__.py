"""Check chat JSONL, line by line, against what fine-tuning APIs take."""
