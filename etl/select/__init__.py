"""Select: segments to decisions, one reason for every utterance left out."""
