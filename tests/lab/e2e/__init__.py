"""The operator on a real node, with a real Restate and real SDK pods."""
