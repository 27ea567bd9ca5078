"""The same workloads in PyTorch: same weights, channels first, float32 without TF32."""

from __future__ import annotations

from typing import Any

import contender
import numpy as np
import torch
from torch import nn

from .workloads import Layer, per_step


class Residual(nn.Module):
    """relu(body(x) + short(x))."""

    def __init__(self, l: Layer):
        super().__init__()
        self.body, self.short = sequence(l["body"]), sequence(l["short"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.short(x))


class ChannelsLast(nn.Module):
    """Flattens as pyml does, channels last, so that the dense weights are the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _set(module: Any, *values: np.ndarray) -> Any:
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=False):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return module


def sequence(net: list[Layer]) -> nn.Sequential:
    out: list[nn.Module] = []
    for l in net:
        op, values = l["op"], contender.layer_params(l)
        if op == "conv":
            made = nn.Conv2d(l["cin"], l["cout"], l["k"], l["s"], l["p"], bias=l["bias"])
            out.append(_set(made, values[0].transpose(3, 2, 0, 1), *values[1:]))
        elif op == "bn":
            out.append(_set(nn.BatchNorm2d(l["c"], eps=1e-5, momentum=0.1), *values))
        elif op == "dense":
            out.append(_set(nn.Linear(l["i"], l["o"]), values[0].T, values[1]))
        elif op == "residual":
            out.append(Residual(l))
        else:
            out.append({"relu": nn.ReLU, "pool": lambda: nn.MaxPool2d(2), "flatten": ChannelsLast,
                        "gap": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())}[op]())  # fmt: skip
        if l.get("act") == "relu":
            out.append(nn.ReLU())
    return nn.Sequential(*out)


def block(w: dict[str, Any]) -> nn.Module:
    """The post-norm encoder block of `contender.transformer`."""
    d, ffn, u = w["d"], w["ffn"], contender.uniform
    linear = lambda seed, i, o: u(seed, (i, o), (3 / i) ** 0.5).T
    vector = lambda seed, n, base: (base + u(seed, n, 0.05)).astype(np.float32)
    made = nn.TransformerEncoderLayer(d, w["heads"], ffn, dropout=0.0, batch_first=True)
    attention = made.self_attn
    _set(attention, np.concatenate([linear(s, d, d) for s in (100, 104, 108)]), np.concatenate([vector(s, d, 0) for s in (116, 120, 124)]),
         linear(112, d, d), vector(128, d, 0))  # fmt: skip
    _set(made.linear1, linear(132, d, ffn), vector(136, ffn, 0))
    _set(made.linear2, linear(140, ffn, d), vector(144, d, 0))
    _set(made.norm1, vector(148, d, 1), vector(152, d, 0))
    _set(made.norm2, vector(156, d, 1), vector(160, d, 0))
    return made


def torch_side(w: dict[str, Any], where: str, budget: float) -> dict[str, Any]:
    """First value and seconds a step."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    kind = w["kind"]
    if kind == "matmul":
        n = w["n"]
        a, b = (torch.from_numpy(contender.uniform(seed, (n, n), 1)).to(where) for seed in (1, 2))
        last = [a @ b]
        value = last[0].flatten()[n + 1].item()

        def multiply(k: int) -> None:
            for _ in range(k):
                last[0] = a @ b

        return {"value": value, "step_s": per_step(multiply, lambda: last[0][0, 0].item(), budget)}
    if kind == "transformer":
        model = block(w)
        x, y = (torch.from_numpy(contender.uniform(s, (w["batch"], w["seq"], w["d"]), b)) for s, b in ((7, 1.7), (9, 1)))
        loss_of: Any = nn.functional.mse_loss
    else:
        model = sequence(w["net"])
        x, y = map(torch.from_numpy, contender.images_and_labels(w))
        x, y, loss_of = x.permute(0, 3, 1, 2).contiguous(), y.long(), nn.functional.cross_entropy
    model, x, y = model.to(where).train(), x.to(where), y.to(where)
    optimizer: Any = torch.optim.Adam(model.parameters(), w["lr"], eps=1e-7)
    if w["opt"] != "adam":
        optimizer = torch.optim.SGD(model.parameters(), w["lr"], w["momentum"])
    loss = [torch.zeros(())]

    def run(k: int) -> None:
        for _ in range(k):
            optimizer.zero_grad()
            loss[0] = loss_of(model(x), y)
            loss[0].backward()
            optimizer.step()

    run(1)
    value = loss[0].item()
    run(2)
    return {"value": value, "step_s": per_step(run, lambda: loss[0].item(), budget)}
