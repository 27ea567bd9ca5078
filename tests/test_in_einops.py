"""Our tensors in einops: a small stand-in looks for kinds of tensors as einops does, and calls them as it does."""

import sys

import numpy as np
import pytest

import pyml
from pyml.ops import in_einops

KINDS = """
class AbstractBackend: ...
class UnknownSize:
    def __mul__(self, other): return self
    __rmul__ = __floordiv__ = __mul__
def get_backend(tensor):
    return next(kind() for kind in AbstractBackend.__subclasses__() if kind().is_appropriate_type(tensor))
"""


@pytest.fixture(params=["imported before", "imported after"])
def kinds(request, tmp_path, monkeypatch):
    (tmp_path / "einops").mkdir()
    (tmp_path / "einops" / "__init__.py").write_text("from . import _backends")
    (tmp_path / "einops" / "_backends.py").write_text(KINDS)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "einops"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if not isinstance(finder, in_einops._WhenImported)])
    if request.param == "imported after":
        in_einops.register()
    import einops

    if request.param == "imported before":
        in_einops.register()
    yield einops._backends
    del sys.modules["einops"], sys.modules["einops._backends"]


def test_tensors_are_rearranged_and_reduced_by_einops(kinds, device):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    for tensor in (pyml.ops.convert_to_tensor(x), pyml.Variable(x)):
        kind = kinds.get_backend(tensor)
        assert kind.shape(tensor) == (2, 3, 4) and kind.is_float_type(tensor)
        for got, wanted in (
            (kind.reshape(kind.transpose(tensor, (1, 0, 2)), (3, 8)), x.transpose(1, 0, 2).reshape(3, 8)),
            (kind.reduce(tensor, "max", (0, 2)), x.max((0, 2))),
            (kind.concat([tensor, tensor], axis=1), np.concatenate([x, x], 1)),
            (kind.tile(kind.add_axis(tensor, 1), (1, 2, 1, 1)), np.stack([x, x], 1)),
            (kind.einsum("abc,abc->a", tensor, tensor), (x * x).sum((1, 2))),
            (kind.stack_on_zeroth_dimension([tensor, kind.from_numpy(x)]), np.stack([x, x])),
        ):
            np.testing.assert_array_equal(kind.to_numpy(got), wanted)


def test_einops_between_layers_needs_no_size_of_batches(kinds, cpu):
    inputs = pyml.Input((3, 4))
    kind = kinds.get_backend(inputs)
    batch, rows, columns = kind.shape(inputs)
    model = pyml.Model(inputs, kind.reshape(inputs, (1 * batch * rows, columns)))  # "b h w -> (b h) w"
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(model(x), x.reshape(6, 4))
