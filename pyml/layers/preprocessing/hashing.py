"""Hashing and HashedCrossing: categories as numbers of bins, without a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.core.symbolic import KerasTensor
from pyml.dtypes import standardize
from pyml.layers.preprocessing.encoding import MODES, check_dense, checked_mode, encoded_on_host, encoded_shape
from pyml.layers.preprocessing.fingerprints import buckets, combined, fingerprint64, siphash64
from pyml.layers.preprocessing.host import HostLayer, answer, on_host, texts_of, values_of
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import floatx

__all__ = ["HashedCrossing", "Hashing"]


def checked_salt(salt: Any, owner: str) -> list[int] | None:
    """A salt as two integers.

    Raises:
        ValueError: It is neither one integer nor two.
    """
    if salt is None:
        return None
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{owner}` can only be a tuple of size 2 integers, or a single integer. Received: salt={salt}."
    )


def as_bytes(values: np.ndarray, owner: str) -> list[bytes]:
    """All values as the text that is hashed: numbers in digits, without what stands behind the point."""
    if values.dtype.kind in "biuf":
        return [b"%d" % int(value) for value in values.reshape(-1).tolist()]
    return [text.encode() for text in texts_of(values, owner)]


def hashed(values: np.ndarray, count: int, salt: list[int] | None, owner: str) -> np.ndarray:
    """The bin of each value: int32, in the shape of `values`."""
    texts = as_bytes(values, owner)
    hashes = fingerprint64(texts) if salt is None else siphash64(texts, salt)
    return buckets(hashes, count).reshape(values.shape)


class Hashing(HostLayer):
    """Text or integers as numbers of bins, by a hash that is the same everywhere.

    Args:
        num_bins: How many bins there are, that of `mask_value` among them.
        mask_value: The value of bin 0; None for none.
        salt: One or two integers: SipHash under this key instead of FarmHash.
        output_mode: `"int"`, or `"one_hot"`, `"multi_hot"`, `"count"` as in `CategoryEncoding`.
        sparse: Only False.

    The bins are computed on the host. Input shape: any. Output shape: the same, int32; else vectors of length `num_bins`.

    Raises:
        ValueError: `num_bins` is not positive, the salt or the mode is none.

    Source: Keras; G. Pike, "FarmHash"; Aumasson and Bernstein 2012, "SipHash".

    Example:
        >>> pyml.layers.Hashing(num_bins=3)([["A"], ["B"], ["C"]]).numpy().tolist()
        [[1], [0], [1]]
    """

    def __init__(self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int", sparse: bool = False,
                 **kwargs: Any) -> None:
        output_mode = checked_mode(output_mode, MODES, "Hashing")
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}.")
        if output_mode == "int" and self._policy_at_path.name not in ("int32", "int64"):
            raise ValueError(
                f'When `output_mode="int"`, `dtype` should be an integer type, \'int32\' or \'int64\'. Received: dtype={kwargs["dtype"]}'
            )
        check_dense("Hashing", sparse=sparse)
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = checked_salt(salt, "Hashing")
        self.output_mode = output_mode
        self.sparse = False
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        values = values_of(inputs, "Hashing")
        if self.mask_value is not None and self.num_bins > 1:
            bins = hashed(values, self.num_bins - 1, self.salt, "Hashing") + 1
            bins[values == self.mask_value] = 0
        else:
            bins = hashed(values, self.num_bins, self.salt, "Hashing")
        if self.output_mode != "int":
            bins = encoded_on_host(bins, self.output_mode, self.num_bins)
        return answer(bins, standardize(self.compute_dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def bins(x: np.ndarray) -> np.ndarray:
            return np.array([fingerprint64([b"%d" % v])[0] % np.uint64(4) for v in x.reshape(-1)], int).reshape(x.shape)

        yield sample(cls(4), draw(3, 2, low=0, high=99, dtype="int32"), like=bins, gradient=False)


class HashedCrossing(HostLayer, not_in_config=("trainable",)):
    """Pairs, or more, of categories as numbers of bins: one for each combination, by a hash.

    Args:
        num_bins: How many bins there are.
        output_mode: `"int"` or `"one_hot"`.
        sparse: Only False.

    The bins are computed on the host. Inputs: a list of two or more arrays of integers or text, each `()`, `(batch,)` or
    `(batch, 1)`. Output shape: the same, int32; for `"one_hot"` vectors of length `num_bins`.

    Raises:
        ValueError: There are not two inputs, or they have other or different shapes.
        DtypeError: They hold neither integers nor text.

    Source: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".

    Example:
        >>> layer = pyml.layers.HashedCrossing(num_bins=5)
        >>> layer((np.array(["A", "B", "A", "B"]), np.array([101, 101, 101, 102]))).numpy()
        array([1, 4, 1, 1], dtype=int32)
    """

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, name: str | None = None, dtype: Any = None,
                 **kwargs: Any) -> None:
        output_mode = checked_mode(output_mode, ("int", "one_hot"), "HashedCrossing")
        super().__init__(name=name, dtype="int64" if output_mode == "int" and dtype is None else dtype, **kwargs)
        check_dense("HashedCrossing", sparse=sparse)
        self.num_bins = num_bins
        self.output_mode = output_mode
        self.sparse = False
        self._build_at_init()

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"`HashedCrossing` should be called on a list or tuple of inputs. Received: {type(inputs).__name__}")
        if len(inputs) < 2:
            raise ValueError(f"`HashedCrossing` should be called on at least two inputs. Received: {len(inputs)}")
        inputs = [on_host(x) for x in inputs]
        self._check_shapes([tuple(x.shape) for x in inputs])
        return self._looked_up(inputs)

    def _check_shapes(self, shapes: list[tuple[Any, ...]]) -> None:
        first = shapes[0]
        if len(first) > 2 or (len(first) == 2 and first[-1] != 1):
            raise ValueError(
                f"All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. Received: {first}"
            )
        if any(shape != first for shape in shapes):
            raise ValueError(f"All `HashedCrossing` inputs should have equal shape. Received: {', '.join(map(str, shapes))}")

    def call(self, inputs: Any) -> Any:
        parts = []
        for x in inputs:
            values = values_of(x, "HashedCrossing")
            if values.dtype.kind == "f":
                raise ValueError(f"All `HashedCrossing` inputs should have an integer or string dtype. Received: {values.dtype}")
            flat = values.reshape(-1)
            with np.errstate(over="ignore"):
                parts.append(flat.astype(np.int64).view(np.uint64) if flat.dtype.kind in "biu"
                             else fingerprint64(as_bytes(flat, "HashedCrossing")))
        with np.errstate(over="ignore"):
            bins = buckets(combined(parts), self.num_bins).reshape(tuple(inputs[0].shape))
        if self.output_mode == "one_hot":
            return answer(encoded_on_host(bins, "one_hot", self.num_bins), standardize(self.compute_dtype))
        return answer(bins, standardize(self.compute_dtype))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape([x.shape for x in inputs]), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def bins(x: Any) -> np.ndarray:
            one, two = (np.asarray(part).astype("int64").view("uint64") for part in x)
            with np.errstate(over="ignore"):
                return np.eye(7)[combined([one, two]) % np.uint64(7)]

        numbers = draw(4, low=0, high=9, dtype="int32")
        yield sample(cls(7, "one_hot"), [numbers, numbers], like=bins, gradient=False)
