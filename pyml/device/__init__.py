"""Devices: where Plans run. Six methods and a description of limits."""
