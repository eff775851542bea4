"""Inspection: what a corpus, or the stage of a build, holds; sketches of batches, added up."""
