"""
Saturi: AI-Hub's Korean dialect label archives to chat fine-tuning data, every label file accounted for.

    from etl import BuildOptions, build

    result = build(["data"], "out", BuildOptions(unit="sentence"))
"""

__version__ = "0.1.0"
