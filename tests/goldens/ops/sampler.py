"""A loop of a book: pictures out of noise by a small network with hashed weights, in twenty steps (Song et al. 2020)."""

import math

import numpy as np
from golden_cases import uniform
from op_calls import call

SIZE, FEATURES = 8, 16


def network(K):
    """Noisy pictures and how much of them is noise in, the noise out; nothing of it is random."""
    L, ops = K.layers, K.ops

    def waves(x):
        speeds = 2.0 * math.pi * ops.exp(ops.linspace(ops.log(1.0), ops.log(1000.0), FEATURES // 2))
        return ops.concatenate([ops.sin(speeds * x), ops.cos(speeds * x)], axis=3)

    def block(x, width):
        first = x if x.shape[3] == width else L.Conv2D(width, 1)(x)
        x = L.BatchNormalization(center=False, scale=False)(x)
        x = L.Conv2D(width, 3, padding="same", activation="swish")(x)
        return L.Add()([L.Conv2D(width, 3, padding="same")(x), first])

    pictures, share = K.Input((SIZE, SIZE, 3)), K.Input((1, 1, 1))
    told = L.UpSampling2D(SIZE)(L.Lambda(waves, output_shape=(1, 1, FEATURES))(share))
    x = skipped = block(L.Concatenate()([L.Conv2D(4, 1)(pictures), told]), 6)
    x = L.UpSampling2D(2, interpolation="bilinear")(block(L.AveragePooling2D(2)(x), 8))
    x = block(L.Concatenate()([x, skipped]), 6)
    model = K.Model([pictures, share], L.Conv2D(3, 1)(x))
    for i, w in enumerate(model.weights):
        if w.trainable:
            w.assign(uniform(100 + i, tuple(w.shape), (1.5 / max(1, np.prod(w.shape[:-1]))) ** 0.5))
    return model


def sampler(K):
    """The function that turns noise into pictures."""
    ops, model = K.ops, network(K)

    def rates(time):
        most, least = ops.arccos(0.9), ops.arccos(0.1)
        angle = most + time * (least - most)
        return ops.sin(angle), ops.cos(angle)

    def pictures(noise, steps):
        for i in range(steps):
            time = ops.ones((noise.shape[0], 1, 1, 1)) - i / steps
            noise_rate, signal_rate = rates(time)
            found = model([noise, noise_rate**2], training=False)
            picture = (noise - noise_rate * found) / signal_rate
            noise_rate, signal_rate = rates(time - 1.0 / steps)
            noise = signal_rate * picture + noise_rate * found
        return picture

    return pictures


NOISE = uniform(7, (2, SIZE, SIZE, 3), 1.7)
CASES = {f"in_{steps}_steps": call(sampler, NOISE, steps, grad=False, tol=1e-3, tensors=True) for steps in (1, 20)}
