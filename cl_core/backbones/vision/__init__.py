"""Vision encoders, and backbones that see."""
