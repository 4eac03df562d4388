"""Analysis of finished runs: comparisons, sweeps, the oracle gap, embeddings, static merges, exports."""
