"""Training of differentiable weightless networks. The only package that imports torch."""
