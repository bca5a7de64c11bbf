"""nncase 1.9: run in a process of its own, its result kept with proofs, its simulator compared with ours."""
