"""The network in TensorFlow: our padded graph, the published files run as they are, and proofs that both agree."""
