"""Write: decisions to chunks, manifest, lineage and rejects."""
