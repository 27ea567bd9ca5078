"""The base of layers: calling, shapes and masks of what is called, configs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Self, overload

import numpy as np

from pyml import dtype_policies, regularizers, settings
from pyml.core import StatelessScope, Tensor, Variable, convert_to_tensor, known
from pyml.core.naming import auto_name, enter_scope, leave_scope
from pyml.core.narrow import rounded, unlabelled
from pyml.core.recompute import RematScope, call_layer, current_remat
from pyml.core.symbolic import VALUES, KerasTensor, any_symbolic, infer_output_spec
from pyml.core.tensor import tensor_of
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.dtypes import FLOATS, INTEGERS
from pyml.errors import Undefined, did_you_mean, tell_place
from pyml.layers import call_context
from pyml.layers.added_losses import AddedLosses
from pyml.layers.building import Building
from pyml.layers.input_spec import assert_input_compatibility, refuse_structure
from pyml.layers.signature import (
    Tracing,
    call_signature,
    is_number_list,
    mask_of,
    overridden,
    policy_of,
    set_mask,
    specs_of,
)
from pyml.layers.types import RegularizerLike
from pyml.lazily import LeftOut
from pyml.objects.configured import argument_names
from pyml.objects.operation import Operation
from pyml.objects.registry import LAYERS
from pyml.settings import enter_wide, leave_wide
from pyml.tracebacks import is_ours, shown, warn

__all__ = ["Layer"]


class Layer(AddedLosses, Building, Operation, kind=LAYERS):
    """Base: make weights in `build(input_shape)` or `__init__`, write the formula in `call(inputs)`.

    Args:
        activity_regularizer: Penalty of the output, added to the loss after division by the batch size.
        trainable: False freezes the weights.
        dtype: A dtype or policy, or its name; by default the one that `pyml.config.set_dtype_policy` set, else `pyml.config.floatx()`.
        autocast: Kept for Keras' signature.
        name: Name of the layer; by default `dense`, `dense_1`, ...

    Raises:
        ValueError: An argument is unknown, a tensor to call it on, or `name` is not a string without `/`.
        Undefined: It is called and does not define `call`.
        RuntimeError: A subclass did not call `super().__init__()` first.

    Example:
        >>> class Scale(pyml.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(name="factor", shape=input_shape[-1:], initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale()
        >>> layer(np.array([[1.0, 2.0]])).numpy()
        array([[1., 2.]], dtype=float32)
        >>> layer.factor.shape
        (2,)
    """

    _remat: RematScope | None = None  # whether what it makes is computed once more rather than kept
    _rounds_outputs = True  # outputs are rounded to the policy's dtype where that has 16 bits; models leave it to their layers
    _integers_give_float32 = False  # of a layer without weights that casts nothing: only floats are rounded to the policy's dtype
    _told_lost_mask = False
    _symbolic_graph: Any = None  # of a model: the calls from its inputs to its outputs
    input_spec: Any = None  # an object has what it checks; what a model tells of its graph, the graph checks itself
    supports_jit = True
    _always_says_penalty = False  # the config has an activity_regularizer of None too, as Keras' has for these classes
    _hints = ("input_shape", "input_dim", "input_length")
    add_metric = LeftOut("make the metric in __init__(), self.seen = pyml.metrics.Mean(), and call self.seen.update_state(value) in call()")
    add_update = LeftOut("assign the new value in call()")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        given = [leaf for value in args for leaf in (value if type(value) in (list, tuple) else (value,))]
        if any(isinstance(leaf, KerasTensor) for leaf in given) and _is_built_in(cls):
            raise ValueError(f"{cls.__name__}: a tensor was passed to the constructor, which takes options alone; "
                             f"write {cls.__name__}(...)({'x' if len(given) == len(args) else '[x, ...]'}), a call of the layer that it "
                             "makes.")  # fmt: skip
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *, activity_regularizer: RegularizerLike = None, trainable: bool = True, dtype: Any = None, autocast: bool = True,
                 name: str | None = None, **kwargs: Any) -> None:
        input_shape = kwargs.pop("input_shape", None)
        input_dim = kwargs.pop("input_dim", None)
        if kwargs:
            hint = did_you_mean(next(iter(kwargs)), argument_names(type(self)))
            if "batch_input_shape" in kwargs:
                hint = " Keras 3 left batch_input_shape out: begin with Input(batch_shape=...)."
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}.{hint}")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"{type(self).__name__}: name must be a string without '/'. Received: name={name!r}")
        if not isinstance(trainable, (bool, np.bool_)):
            raise ValueError(f"{type(self).__name__}: trainable must be True or False. Received: trainable={trainable!r}")
        if "_tracked_children" not in self.__dict__:
            self._init_tracking()
        Operation.__init__(self, name=name or auto_name(type(self).__name__))
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            warn("Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, prefer using an "
                 "`Input(shape)` object as the first layer in the model instead.")  # fmt: skip
            if isinstance(input_shape, str) or not isinstance(input_shape, Iterable):
                name, given = ("input_shape", input_shape) if input_dim is None else ("input_dim", input_dim)
                raise ValueError(f"{type(self).__name__}: {name} must be a list of sizes or None. Received: {name}={given!r}")
            self._input_shape_argument = tuple(input_shape)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype_policy = policy_of(dtype, self)
        self.autocast = autocast
        self.built = is_ours(type(self)) and type(self).build is Layer.build  # nothing to build: no weights
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self._trainable = bool(trainable)
        self._losses: list[Any] = []
        self._path = None
        self._keep_apart(_build_shapes=None, _remat=current_remat(), _signature=call_signature(type(self)))

    # ---- calling
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The formula; every layer writes its own."""
        raise Undefined(f'Layer "{self.name}" ({type(self).__name__}) must define call(inputs).')

    @overload  # what most calls are, so that `return self.dense(x)` has a type
    def __call__(self, inputs: Tensor | np.ndarray, /, *args: Any, **kwargs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    @shown
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Applies the layer to tensors, numpy arrays or symbolic tensors, or nested lists and dicts of them."""
        if "_signature" not in self.__dict__:
            self._check_super_called()
        first = args[0] if args else None
        try:
            if type(first) is np.ndarray and self._convert_input_args:
                first = self._convert_argument(first)
                args = (first, *args[1:])
            # one tensor and plain options: what comes most often needs no look into structures
            plain = type(first) is Tensor and len(args) == 1 and (not kwargs or VALUES.issuperset(map(type, kwargs.values())))
            if not plain and self._convert_input_args:
                if args and is_number_list(first):
                    args = (np.asarray(first), *args[1:])
                args = map_structure(self._convert_argument, args)
                kwargs = {key: map_structure(self._convert_argument, value) for key, value in kwargs.items()}
                first = args[0] if args else next(iter(kwargs.values()), None)
                for value in args[1:]:
                    if isinstance(value, (bool, int, float, str)) and not self._allow_non_tensor_positional_args:
                        self._refuse_value(value)
                if first is None or (isinstance(first, (str, Layer)) and not self._allow_non_tensor_positional_args):
                    self._refuse_call(args, kwargs)
            if not self.built:
                assert_input_compatibility(self.__dict__.get("input_spec"), first, self.name)
                self._maybe_build(args, kwargs)
            assert_input_compatibility(self.__dict__.get("input_spec"), first, self.name)
            if not plain and any_symbolic(args, kwargs):
                return self.symbolic_call(*args, **kwargs)
            return self._call_on_values(args, kwargs)
        except Exception as error:
            tell_place(error, self)
            if isinstance(error, (AttributeError, KeyError, TypeError)) and _is_built_in(type(self)):
                if self._signature.missing(args, kwargs) is not None:
                    self._refuse_call(args, kwargs)
                refuse_structure(self, first, error)
            raise

    def stateless_call(self, trainable_variables: Any, non_trainable_variables: Any, *args: Any, return_losses: bool = False,
                       **kwargs: Any) -> Any:  # fmt: skip
        """Calls the layer as a function of its state; nothing is changed.

        Args:
            trainable_variables: Values for `trainable_variables`, in their order.
            non_trainable_variables: Values for `non_trainable_variables`.
            *args, **kwargs: What the layer is called with.
            return_losses: Also return the losses that the call adds and the penalties of weights.

        Returns:
            `(outputs, non_trainable_variables)` with the values that those have after the call, and the list of losses with
            `return_losses`.

        Raises:
            ValueError: The layer is not built yet, or numbers of values differ.

        Source: `keras.Layer.stateless_call`.

        Example:
            >>> layer = pyml.layers.Dense(1, use_bias=False)
            >>> layer.build((None, 2))
            >>> outputs, state = layer.stateless_call([np.ones((2, 1))], [], np.ones((1, 2)))
            >>> outputs.tolist(), state
            ([[2.0]], [])
        """
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables must have been already created). "
                "You can build it by calling it on some data."
            )
        groups = (("trainable_variables", trainable_variables), ("non_trainable_variables", non_trainable_variables))
        mapping: list[tuple[Variable, Any]] = []
        for name, values in groups:
            own = getattr(self, name)
            if len(values) != len(own):
                raise ValueError(
                    f"Argument `{name}` must be a list of tensors corresponding 1:1 to {type(self).__name__}().{name}. Received list "
                    f"with length {len(values)}, but expected {len(own)} variables."
                )
            mapping += zip(own, values, strict=True)
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else []
        state = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, state, losses) if return_losses else (outputs, state)

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """`layer_call` as the `RematScope` that the layer was made in asks for it: computed once more rather than kept."""
        wish = self._remat
        if wish is None:
            return layer_call
        return wraps(layer_call)(lambda *args, **kwargs: call_layer(self, layer_call, wish, args, kwargs))

    def _check_super_called(self) -> None:
        if "_signature" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: call super().__init__() first in __init__().")

    def _refuse_value(self, value: Any) -> None:
        raise ValueError(f'Layer "{self.name}": only tensors may be passed as positional arguments. Received: {value!r}; pass it '
                         "by name.")  # fmt: skip

    def _refuse_call(self, args: Any, kwargs: Any) -> None:
        """Says which input is missing, or is not a tensor.

        Raises:
            TypeError: An argument that `call` needs is missing.
            ValueError: None, a text or a layer stands where tensors do.
        """
        if args and isinstance(args[0], Layer):
            raise ValueError(f'Layer "{self.name}": only tensors may be passed as positional arguments. Received: the layer '
                             f'"{args[0].name}"; call that on its own input and pass what it returns.')  # fmt: skip
        if args and isinstance(args[0], str):
            raise ValueError(f'Layer "{self.name}": only tensors may be passed as positional arguments. Received: {args[0]!r}')
        missing = self._signature.missing(args, kwargs)
        if missing and (not args or _is_built_in(type(self))):
            if missing in kwargs or missing in self._signature.names[: len(args)]:
                raise ValueError(f'Layer "{self.name}": `{missing}` must be tensors. Received: None') from None
            raise TypeError(self._missing(missing, args)) from None

    def _call_on_values(self, args: Any, kwargs: Any) -> Any:
        """Calls the layer on tensors: training, masks, scopes and regularizers as its signature asks for them."""
        signature, policy = self._signature, self._policy_at_path
        training = kwargs.pop("training", None) if kwargs else None
        depth, around = call_context.innermost()
        if training is None:
            training = around
        if training is None:
            training = signature.default_training
        if depth == 0:
            self._clear_losses()
        if signature.takes_training and training is not None:
            kwargs["training"] = bool(training)
        if kwargs and not signature.takes_mask:
            kwargs.pop("mask", None)
        previous_mask = signature.fill_masks(args, kwargs)
        dtype = policy.compute_dtype if self._rounds_outputs and self.autocast else "float32"
        if dtype != "float32" and not (ours := is_ours(type(self))) and dtype in INTEGERS:
            args, kwargs = map_structure(lambda x: rounded(x, dtype), (args, kwargs))
        outer_call, outer_scope = call_context.enter((depth + 1, training)), enter_scope(self.name, self)
        outer_wide = enter_wide(self._rounds_outputs and is_ours(type(self))) if settings.halved else None
        try:
            call = self.call if policy.quantization_mode is None else self.quantized_call
            outputs = (call if self._remat is None else self.rematerialized_call(call, *args, **kwargs))(*args, **kwargs)
            if self.activity_regularizer is not None:
                for output in flatten(outputs):        # per sample, so that the batch size does not matter
                    self.add_loss(self.activity_regularizer(output) * (1.0 / max((1, *output.shape[:1]))))
        finally:
            call_context.leave(outer_call)
            leave_scope(outer_scope)
            if outer_wide is not None:
                leave_wide(outer_wide)
        if dtype != "float32" and (ours or dtype in FLOATS) and not (self._integers_give_float32 and _of_integers(args[:1] or kwargs)):
            outputs = map_structure(lambda output: rounded(output, dtype), outputs)
        if self.supports_masking and (previous_mask is not None or type(self).compute_mask is not Layer.compute_mask):
            set_mask(outputs, self.compute_mask(self._signature.first(args, kwargs), previous_mask))
        elif previous_mask is not None:
            self._tell_lost_mask()
        return outputs

    def _tell_lost_mask(self) -> None:
        """Warns once that layers behind this one see no mask; models leave that to their layers."""
        if self._rounds_outputs and not self.supports_masking and not self._told_lost_mask:
            self._told_lost_mask = True
            warn(f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to it. However, this "
                 "layer does not support masking and will therefore destroy the mask information. Downstream layers will not see the "
                 "mask.")  # fmt: skip

    # Set to False and True by layers written for Keras that work on the host: `call` gets what was given, text and lists too.
    _convert_input_args = True
    _allow_non_tensor_positional_args = False

    def _convert_argument(self, leaf: Any) -> Any:
        if isinstance(leaf, (np.ndarray, np.generic)):
            if leaf.dtype.kind in "OSU":               # text, for layers that run on the host
                return leaf
            array, leaf = leaf, convert_to_tensor(leaf)
            if isinstance(array, np.ndarray) and array.ndim:
                known.put(leaf._node, array)               # an Embedding asks
        if isinstance(leaf, Variable):
            leaf = leaf.value
        return unlabelled(leaf) if self.autocast else leaf

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if "compute_output_shape" not in overridden(type(self)):
            return infer_output_spec(self._call_on_probes, args, kwargs)
        if self._has_inner_to_build():
            self._build_inner(args, kwargs)
        first = self._signature.first(args, kwargs)
        first = next(iter(kwargs.values())) if first is None else first
        shapes = self._signature.output_shapes(args, kwargs)
        dtypes = [str(getattr(leaf, "dtype", self._device_dtype)) for leaf in flatten(first)]
        floats = set(dtypes) <= set(FLOATS)
        as_given = floats and is_ours(type(self)) and not (self._rounds_outputs and self.autocast)
        dtype = dtypes[0] if as_given else self.compute_dtype
        found = self.compute_output_shape(map_structure(lambda t: tuple(t.shape), first)) if shapes is None else (
            self.compute_output_shape(**shapes))  # fmt: skip
        specs = specs_of(found, dtype)
        if floats or not self.built:
            return specs
        try:                      # integers may stay what they are (Flatten), or not (Dense)
            found = flatten(infer_output_spec(self._call_on_probes, args, kwargs))
        except Exception:         # it is computed from values; Keras says the policy's dtype then
            return specs
        return pack_sequence_as(specs, [KerasTensor(spec.shape, dtype=other.dtype)
                                        for spec, other in zip(flatten(specs), found, strict=True)])  # fmt: skip

    def _has_inner_to_build(self) -> bool:
        return type(self).build is Layer.build and not all(layer.built for layer in self._flatten_layers(include_self=False))

    def _build_inner(self, args: Any, kwargs: Any) -> None:
        """Makes the weights of layers inside that only `call` makes, which nothing else runs where the shape of the output is told."""
        try:
            infer_output_spec(self._call_on_probes, args, kwargs)
        except Exception as error:
            warn(f'Layer "{self.name}" has layers without weights yet, and its call() cannot be traced to make them: {error} '
                 "Give the layer a build() that builds them, or their weights cannot be loaded from a file.")  # fmt: skip

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Puts a call into the graph and returns its symbolic outputs, with what their masks will look like."""
        if (opens := call_context.opens.get()) is not None and opens(self):
            return self._call_on_values(args, kwargs)
        if kwargs and not self._signature.takes_training:
            kwargs.pop("training", None)
        scope = enter_scope(self.name, self)           # a compute_output_spec of one's own may build layers
        try:
            if not is_ours(type(self).compute_output_spec) and self._has_inner_to_build():
                self._build_inner(args, kwargs)        # theirs may build nothing
            outputs = super().symbolic_call(*args, **kwargs)
        finally:
            leave_scope(scope)
        if not call_context.innermost()[0]:
            self._clear_losses()                       # those of tensors without values are none
        if self.supports_masking and not any(getattr(output, "_keras_mask", None) is not None for output in flatten(outputs)):
            self._mark_masks(outputs, self._signature.first(args, kwargs), kwargs)
        elif mask_of(self._signature.first(args, kwargs)) is not None:
            self._tell_lost_mask()
        return outputs

    def _mark_masks(self, outputs: Any, inputs: Any, kwargs: Any) -> None:
        """Layers behind these outputs know that there are masks, before there are any."""
        named = kwargs.get("mask")
        given = flatten(map_structure(lambda t: getattr(t, "_keras_mask", None), inputs) if named is None else named)
        own = type(self).compute_mask is not Layer.compute_mask
        if not own and all(mask is None for mask in given):
            return

        def masked(values: Any, named: Any) -> Any:
            previous = named if named is not None else mask_of(values)
            found = map_structure(lambda t: tensor_of(t._node, t.dtype) if isinstance(t, Tensor) else t, values)
            return self.compute_mask(found, previous)

        try:
            masks = infer_output_spec(masked, (inputs, kwargs.get("mask")), {})
        except Exception:  # it is computed from values then, or refused
            return
        for output, mask in zip(flatten(outputs), flatten(masks), strict=False):
            if isinstance(output, KerasTensor) and isinstance(mask, KerasTensor):
                output._keras_mask = mask

    def _call_on_probes(self, *args: Any, **kwargs: Any) -> Any:
        return self._call_on_values(map_structure(self._convert_argument, args), dict(kwargs))

    def compute_output_shape(self, *shapes: Any, **named: Any) -> Any:
        """The shape of the output for inputs of these shapes, named `<argument of call>_shape`; None stands for unknown sizes."""
        if len(shapes) == 1 and not self.built:
            with Tracing():
                self.build(shapes[0])
            self.built = True
        args = tuple(specs_of(shape, self._device_dtype) for shape in shapes)
        kwargs = {name.removesuffix("_shape"): specs_of(shape, self._device_dtype) for name, shape in named.items()}
        if len(kwargs) == 1 and not args:              # the one shape by any name
            args, kwargs = tuple(kwargs.values()), {}
        self._maybe_build(args, kwargs)
        return map_structure(lambda t: t.shape, infer_output_spec(self._call_on_probes, args, kwargs))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask handed on, unchanged."""
        return previous_mask

    # ---- configs
    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A layer from what `get_config` returned.

        Args:
            config: Arguments of the constructor; nested objects as dicts. The policy of a user's layer comes to its constructor by name.
            custom_objects: Dict of names that come before built-in ones.
        """
        if isinstance(config, dict) and isinstance(config.get("dtype"), dict) and not is_ours(cls):
            policy = dtype_policies.get(config["dtype"])
            plain = policy.quantization_mode is None and not isinstance(policy, dtype_policies.DTypePolicyMap)
            config = {**config, "dtype": policy.name if plain else policy}
        return super().from_config(config, custom_objects)

    def _base_config(self) -> dict[str, Any]:
        config = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policies.serialize(self._dtype_policy)}
        if self.activity_regularizer is not None or self._always_says_penalty:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _is_built_in(cls: type) -> bool:
    """Whether it is a class of `pyml.layers`: models, and layers of users, take what they like."""
    return cls.__module__.startswith("pyml.layers.")


def _of_integers(given: Any) -> bool:
    """Whether tensors are given, and none of floats."""
    dtypes = {x.dtype for x in flatten(given) if isinstance(x, Tensor)}
    return bool(dtypes) and dtypes.isdisjoint(FLOATS)
