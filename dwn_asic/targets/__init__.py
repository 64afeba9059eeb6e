"""What circuits are built for; each target is one package."""
