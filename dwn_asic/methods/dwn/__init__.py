"""Differentiable Weightless Neural Networks: training, and the configuration of it."""
