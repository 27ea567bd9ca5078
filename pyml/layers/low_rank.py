"""Low-rank adapters: a weight that stays as it is, and beside it the product of two thin ones that training changes instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import initializers, ops
from pyml.core import Tensor, Variable, changes
from pyml.layers.types import InitializerLike


class LowRank:
    """Mixin of layers with one large weight: it is the Variable `_kernel`, and an adapter adds to it in `kernel`.

    Files have the weight with its adapter merged, under the positions that Keras gives them.
    """

    _adapted = "kernel"  # the weight, by name
    _stored: tuple[str, ...] = ("kernel", "bias")  # what a file has of the layer, in order
    lora_rank: int | None
    lora_alpha: float | None
    lora_enabled: bool
    built: bool
    name: str

    def _init_lora(self, rank: int | None, alpha: float | None) -> None:
        self.lora_rank = rank
        self.lora_alpha = rank if alpha is None else alpha
        self.lora_enabled = False

    @property
    def _adapted_weight(self) -> Variable:
        return getattr(self, f"_{self._adapted}")

    def _weight_shape(self) -> tuple[int, ...]:
        """The shape of the weight, whatever it is kept as."""
        return tuple(self._adapted_weight.shape)

    @property
    def _thin(self) -> tuple[Variable, Variable]:
        """The two weights of the adapter."""
        return getattr(self, f"lora_{self._adapted}_a"), getattr(self, f"lora_{self._adapted}_b")

    @property
    def _adapter_strength(self) -> float:
        """What the product of the adapter is multiplied by."""
        assert self.lora_alpha is not None and self.lora_rank
        return self.lora_alpha / self.lora_rank

    def _with_adapter(self, weight: Any) -> Any:
        """A weight, and what an adapter adds to it."""
        if not self.built:
            raise AttributeError(f'Layer "{self.name}" has no `{self._adapted}` yet; build it or call it first.')
        if not self.lora_enabled:
            return weight
        a, b = self._thin
        return ops.add(weight, ops.multiply(self._adapter_strength, ops.matmul(a, b)))

    def _of_adapter(self, through: Tensor) -> Tensor:
        """What an adapter adds to an output, from the product of the inputs with its first weight."""
        return ops.multiply(self._adapter_strength, ops.matmul(through, self._thin[1]))

    def enable_lora(self, rank: int, lora_alpha: float | None = None, a_initializer: InitializerLike = "he_uniform",
                    b_initializer: InitializerLike = "zeros") -> None:
        """Freezes the weight and gives it an adapter: two weights of `rank` columns and rows, which training changes.

        Compile a model again afterwards, so that its optimizer knows the new weights.

        Args:
            rank: Columns of the first weight, rows of the second.
            lora_alpha: The adapter's product is multiplied by `lora_alpha / rank`; by default by 1.
            a_initializer, b_initializer: Names or objects.

        Raises:
            ValueError: The layer is not built, has an adapter already, or a constraint of the weight.

        Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
        """
        layer: Any = self
        owner = type(self).__name__
        if getattr(self, f"{self._adapted}_constraint", None):
            raise ValueError(f"{owner}: Lora is incompatible with kernel constraints; make the layer without `{self._adapted}_constraint`.")
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        if self.lora_enabled:
            raise ValueError("lora is already enabled. This can only be done once per layer.")
        if isinstance(rank, bool) or not isinstance(rank, (int, np.integer)) or rank <= 0:
            raise ValueError(f"{owner}: rank must be a positive integer. Received: rank={rank!r}")
        *lead, last = self._weight_shape()
        regularizer = getattr(self, f"{self._adapted}_regularizer", None)
        for which, shape, initializer in (("a", (*lead, rank), a_initializer), ("b", (rank, last), b_initializer)):
            name = f"lora_{self._adapted}_{which}"
            made = layer.add_weight(name=name, shape=shape, initializer=initializers.get(initializer), dtype="float32",
                                    regularizer=regularizer)
            setattr(self, name, made)
        self._adapted_weight.trainable = False
        self.lora_enabled = True
        self.lora_rank = int(rank)
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        changes.changed()

    # ---- files and configs
    def _files_have(self) -> list[str]:
        """Names of what files have of the layer: those of its weights that there are."""
        return [name for name in self._stored if getattr(self, self._kept_as(name), None) is not None]

    def _kept_as(self, name: str) -> str:
        return f"_{name}" if name == self._adapted else name

    def _merged(self) -> dict[str, Any]:
        """The weights of a file that the adapter changes, merged with it."""
        return {self._adapted: self._with_adapter(self._adapted_weight)} if self.lora_enabled else {}

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own weights under their position, the adapter merged."""
        if self.built:
            merged = self._merged()
            for i, name in enumerate(self._files_have()):
                value = merged[name] if name in merged else getattr(self, self._kept_as(name))
                # a file that is written asynchronously has read the Variables before
                known = isinstance(value, np.ndarray) or (isinstance(value, Variable) and hasattr(store, "read"))
                store[str(i)] = value if known else value.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads what `save_own_variables` wrote; an adapter is merged there, so it begins as nothing.

        Raises:
            ShapeError: The store has more or fewer weights, or one of another shape.
        """
        layer: Any = self
        layer._load_variables([getattr(self, self._kept_as(name)) for name in self._files_have()] if self.built else [], store)
        if self.lora_enabled:
            for thin in self._thin:
                thin.assign(np.zeros(thin.shape, np.float32))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, and the rank of an adapter where there is one."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        return config | ({"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha} if self.lora_rank else {})
