"""The rows of rows.py in PyTorch, on one thread: the same work, channels first, written as its user would."""

import math
import re

import data
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ROWS = {}
RATE = 0.5


def row(function):
    ROWS[function.__name__] = function
    return function


def tensors(shapes, requires_grad=True):
    return [torch.from_numpy(value).requires_grad_(requires_grad) for value in data.weights(shapes)]


class Training:
    """A step of SGD on one batch, its loss read. `model(x)` works with `parameters`."""

    def __init__(self, model, parameters, x, y):
        self.model, self.x, self.y = model, x, y
        self.optimizer = torch.optim.SGD(parameters, RATE)

    def step(self):
        self.optimizer.zero_grad()
        loss = F.mse_loss(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def values(self):
        return np.array([self.step() for _ in range(3)], "float32")


class Call:
    def __init__(self, run, alike=True):
        self.run, self.alike = run, alike

    def step(self):
        with torch.no_grad():
            return self.run().numpy()

    def values(self):
        out = self.step().ravel().astype("float32")
        return out if self.alike else out[:0]


def channels_first(array):
    """`(batch, ..., channels)` as PyTorch keeps it."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def kernels(weight):
    """A kernel of Keras, `(..., in, out)`, as PyTorch keeps it."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(weight, (-1, -2), (0, 1)))).requires_grad_()


@row
def conv_lstm_2d():
    kernel, recurrent, bias = data.weights([(3, 3, 8, 64), (3, 3, 16, 64), (64,)])
    kernel, recurrent, bias = kernels(kernel), kernels(recurrent), torch.from_numpy(bias).requires_grad_()

    def model(x):
        batch, steps = x.shape[:2]
        inputs = F.conv2d(x.flatten(0, 1), kernel, bias, padding=1).unflatten(0, (batch, steps))
        h = c = x.new_zeros(batch, 16, 24, 24)
        for t in range(steps):
            i, f, g, o = (inputs[:, t] + F.conv2d(h, recurrent, padding=1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h

    x = torch.from_numpy(np.ascontiguousarray(np.moveaxis(data.normal(8, 10, 24, 24, 8), -1, 2)))
    return Training(model, [kernel, recurrent, bias], x, channels_first(data.normal(8, 24, 24, 16, seed=99)))


@row
def conv3d():
    kernel, bias = data.weights([(3, 3, 3, 4, 16), (16,)])
    kernel, bias = kernels(kernel), torch.from_numpy(bias).requires_grad_()
    x, y = channels_first(data.normal(8, 16, 16, 16, 4)), channels_first(data.normal(8, 16, 16, 16, 16, seed=99))
    return Training(lambda x: F.conv3d(x, kernel, bias, padding=1), [kernel, bias], x, y)


@row
def augmentation():
    def moved(x, a, b, c, d, e, f):
        """Every picture sampled at (a x + b y + c, d x + e y + f), what lies outside mirrored, as in Keras."""
        zero = torch.zeros(len(x))
        theta = torch.stack([v if torch.is_tensor(v) else zero + v for v in (a, b, c, d, e, f)], -1).reshape(-1, 2, 3)
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, "bilinear", "reflection", align_corners=False)

    def run():
        n, x = len(pictures), pictures
        random = lambda low, high: torch.rand(n) * (high - low) + low
        for axis in (3, 2):
            x = torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(axis), x)
        angle = random(-0.1, 0.1) * 2 * math.pi
        x = moved(x, angle.cos(), -angle.sin(), 0.0, angle.sin(), angle.cos(), 0.0)
        zoom = random(0.8, 1.2)
        x = moved(x, zoom, 0.0, 0.0, 0.0, zoom, 0.0)
        x = moved(x, 1.0, 0.0, random(-0.2, 0.2), 0.0, 1.0, random(-0.2, 0.2))
        mean = x.mean((2, 3), keepdim=True)
        return ((x - mean) * random(0.8, 1.2)[:, None, None, None] + mean).clip(0, 255)

    pictures = channels_first(data.normal(64, 96, 96, 3))
    return Call(run, alike=False)


@row
def text_vectorization():
    """As torchtext did it: Python's own functions, then one tensor."""
    punctuation = re.compile(r"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']")
    texts = data.texts()
    split = lambda text: punctuation.sub("", text.lower()).split()
    count = {}
    for text in texts:
        for word in split(text):
            count[word] = count.get(word, 0) + 1
    number = {word: i + 2 for i, word in enumerate(sorted(count, key=lambda word: (count[word], word), reverse=True))}

    def run():
        rows = []
        for text in texts:
            found = [number.get(word, 1) for word in split(text)[: data.WORDS]]
            rows.append(found + [0] * (data.WORDS - len(found)))
        return torch.tensor(rows)

    return Call(run)


@row
def gru():
    """`nn.GRU`, which has no other form than reset_after: as many products, and other values."""
    model = nn.GRU(32, 64, num_layers=2, batch_first=True)
    x, y = torch.from_numpy(data.normal(32, 50, 32)), torch.from_numpy(data.normal(32, 64, seed=99))
    made = Training(lambda x: model(x)[0][:, -1], model.parameters(), x, y)
    made.values = lambda: np.zeros(0, "float32")
    return made


@row
def transformer():
    norm = [((256,), 1), (256,)]
    projection = [(256, 4, 64), (4, 64)]
    shapes = [*norm, *projection * 3, (4, 64, 256), (256,), *norm, (256, 1024), (1024,), (1024, 256), (256,)]
    parameters = tensors(shapes * 4)

    def block(x, gain, shift, wq, bq, wk, bk, wv, bv, wo, bo, gain2, shift2, w1, b1, w2, b2):
        y = F.layer_norm(x, (256,), gain, shift, 1e-3)
        head = lambda w, b: F.linear(y, w.flatten(1).T, b.flatten()).unflatten(-1, (4, 64)).transpose(1, 2)
        y = F.scaled_dot_product_attention(head(wq, bq), head(wk, bk), head(wv, bv))
        x = x + F.linear(y.transpose(1, 2).flatten(2), wo.flatten(0, 1).T, bo)
        y = F.gelu(F.linear(F.layer_norm(x, (256,), gain2, shift2, 1e-3), w1.T, b1))
        return x + F.linear(y, w2.T, b2)

    def model(x):
        for i in range(0, len(parameters), len(shapes)):
            x = block(x, *parameters[i : i + len(shapes)])
        return x

    x, y = torch.from_numpy(data.normal(4, 256, 256)), torch.from_numpy(data.normal(4, 256, 256, seed=99))
    return Training(model, parameters, x, y)


if __name__ == "__main__":
    import worker

    torch.set_num_threads(1)
    worker.serve(ROWS, f"PyTorch {torch.__version__}, {torch.get_num_threads()} thread")
