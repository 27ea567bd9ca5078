"""Layers that prepare data: numbers on the device, text on the host. Each file loads when one of its layers is first touched."""
