"""
Evaluation: whether a model is better than the one it was tuned from, and better than copying its input.

Rows of a test set, systems that answer them, a journal of answers, metrics of well-kept libraries, scores with intervals.
It takes a finished build or a chat file, asks through `providers` and `submission`'s consent, and imports no SDK.
"""
