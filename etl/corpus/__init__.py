"""Corpus: where label files lie and where they belong; reads directories and members, decodes nothing."""
