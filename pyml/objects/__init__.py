"""What layers, losses, metrics, optimizers and their like share: names by which they are found, and configs."""
