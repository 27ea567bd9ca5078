"""`make gpu-check`: are the kernels for GPUs right on this machine's GPU, and how fast are they beside PyTorch?"""
