"""Layers that only act while training: Dropout."""

import math

from pyml import random
from pyml.layers.layer import Layer
from pyml.utils.seeds import make_default_seed


class Dropout(Layer):
    """While training, sets a share of the inputs to 0 and scales the rest up; otherwise the inputs unchanged.

    Args:
        rate: Share that is dropped, in `[0, 1]`.
        noise_shape: Shape of the mask; sizes of 1 share one decision along that axis.
        seed: Integer seed.

    Input shape: any. Output shape: the same.

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not math.isfinite(rate) or not 0 <= rate <= 1:
            raise ValueError(f"Dropout: rate must be a number in [0, 1]. Received: rate={rate!r}")
        self.rate = rate
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = random.SeedGenerator(make_default_seed() if seed is None else seed)
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return inputs * 0.0
        shape = self.noise_shape
        if shape is not None:
            shape = tuple(n if m is None else m for m, n in zip(shape, inputs.shape, strict=True))
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
