"""Write: decisions to chunks, lineage and rejects."""
