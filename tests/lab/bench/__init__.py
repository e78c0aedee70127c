"""Benchmarks: what the operator costs the API server, and itself, with simulated pods."""
