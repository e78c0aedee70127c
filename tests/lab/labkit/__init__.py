"""A Kubernetes cluster on one machine for the operator's tests and its demo."""
from .lab import Lab
from .tools import Missing

__all__ = ["Lab", "Missing"]
