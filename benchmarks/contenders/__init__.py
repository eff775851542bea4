"""
The contenders, a module per contender: `python -m benchmarks.contenders.NAME CORPUS OUT WORKERS`.

Each writes the pair of every label file below CORPUS, with the original recipe's instruction, as chat lines into
`*.jsonl` in the folder OUT, which exists and is empty. Only the floor writes nothing.
"""
