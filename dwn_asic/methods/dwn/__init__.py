"""Differentiable Weightless Neural Networks: training and its configuration."""

from dwn_asic.methods.dwn.config import DwnConfig
from dwn_asic.methods.dwn.method import METHOD, Dwn, network_label

__all__ = ["METHOD", "Dwn", "DwnConfig", "network_label"]
