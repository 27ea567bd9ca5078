"""Configs keep every argument: each one off its default, of every class that has a config, by way of JSON and back."""

import inspect
import json
import re

import numpy as np
import pytest
from every import every
from test_samples import CONFIGURED, arrays, classes, drawn, name_of

import pyml
from pyml.objects import registry

# what else an argument may be, by its name or the last word of it, then by its value; what the class refuses is passed over
NAMED = {
    "initializer": ["ones", "orthogonal"], "regularizer": ["l2"], "constraint": ["non_neg"], "activation": ["tanh", "relu"],
    "name": ["another"], "dtype": ["bfloat16", "float16"], "padding": ["same", "valid"], "reduction": ["sum", "mean"],
    "data_format": ["channels_first"], "interpolation": ["nearest", "bilinear"], "average": ["micro"], "curve": ["PR"],
    "mode": ["max", "columns", "concat", "fan_avg", "vertical", "wrap", "count"],
    "method": ["minoring"], "side": ["imag"], "distribution": ["untruncated_normal"],
    "layer": [lambda: pyml.layers.GRU(2), lambda: pyml.layers.GRU(3, go_backwards=True)], "function": [pyml.activations.softsign],
    "optimizer": [lambda: pyml.optimizers.SGD(0.5)], "equation": ["abc,cd->adb"], "arguments": [{"a": 1}],
}  # fmt: skip
ANY = [3, 0.25, (2,), (2, 1), [1, 0], "sum", True, [0.5, 0.25], np.array([0.5, 2.0]), 4, 6, 2, 1, 0]
# arguments that configs leave out, as Keras' do
LEFT_OUT = {
    "autocast", "flash_attention", "use_cudnn",  # how it is computed
    "weights",  # first values: files have them
    "lora_alpha", "gptq_unpacked_column_size", "renorm_clipping", "renorm_momentum",  # of what is refused
}  # fmt: skip


def parameters(cls):
    """The parameters of the constructor by name, with those of the constructors that it hands others on to."""
    found = {}
    for maker in cls.__mro__[: cls.__mro__.index(cls._registered_base) + 1]:
        if "__init__" in vars(maker):
            own = list(inspect.signature(vars(maker)["__init__"]).parameters.values())[1:]
            found = {p.name: p for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} | found
            if not any(p.kind is p.VAR_KEYWORD for p in own):
                break
    return found


def others(name, now):
    """Values that are not the one of now."""
    made = [value() if inspect.isfunction(value) and value.__name__ == "<lambda>" else value
            for value in NAMED.get(name, NAMED.get(name.rpartition("_")[2], ()))]  # fmt: skip
    near = [not now] if isinstance(now, bool) else [now + 1, now * 2, now - 1] if isinstance(now, int) else []
    if isinstance(now, float):
        near = [now / 2 + 0.125, now * 0.75, now - 0.1, now + 1.0]
    elif isinstance(now, (tuple, list)) and now:
        near = [type(now)(reversed(now)), type(now)(2 * x if isinstance(x, (int, float)) else x for x in now)]
    return [*made, *near, *ANY]


def plain(config):
    return json.loads(json.dumps(config))


def config_of(cls, arguments):
    """The config of an object of these arguments; None where the class needs others too."""
    try:
        return plain(cls(**arguments).get_config())
    except ValueError:
        return None


def variants(cls, made):
    """Objects with one argument off what it is in the sample: (argument, object), and the arguments that have none."""
    args, kwargs = made._constructor
    mine = parameters(cls)
    given = dict(zip(inspect.signature(cls).parameters, args, strict=False)) | kwargs
    bases = [given, {name: value for name, value in given.items() if mine[name].default is inspect.Parameter.empty}]
    bases = [(base, config) for base in bases if (config := config_of(cls, base)) is not None]
    for name in set(mine) - LEFT_OUT:
        now = given.get(name, mine[name].default)
        for base, before in bases:
            for value in others(name, now):
                try:
                    found = cls(**base | {name: value})
                except Exception:  # refused, in whatever way
                    continue
                if repr(value) == repr(now) or (isinstance(value, int) and isinstance(now, (int, float)) and value == now):
                    continue
                yield name, found, before
                break
            else:
                continue
            break


# they have no weights, Keras' configs do not say it, and its spatial dropouts refuse a config that does
WITHOUT_TRAINABLE = ("HashedCrossing", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")


@every("cls", [cls for kind in CONFIGURED for cls in classes(kind)], ids=name_of, blocks=8)
def test_each_argument_off_its_default_comes_back_from_the_config(cls, cpu):
    sample = next(iter(cls._samples()))
    tried = 0
    for name, made, before in variants(cls, sample.made):
        config = plain(made.get_config())
        if name == "dtype" and cls._registered_kind is registry.LOSSES:
            continue  # they compute in float32 whatever it is, and as in Keras their configs say nothing of it
        if name == "trainable" and cls.__name__ in WITHOUT_TRAINABLE:
            continue
        assert name in config, f"{name} is missing"
        again = pyml.saving.deserialize_keras_object(plain(pyml.saving.serialize_keras_object(made)))
        assert type(again) is cls and plain(again.get_config()) == config, name
        tried += config[name] != before.get(name)
        same_value(cls, made, again, sample, name)
    assert 4 * tried >= len(set(parameters(cls)) - LEFT_OUT), "too few of the arguments: what values do the others take?"


WRONG = ["a text", None, -1, 0, 1.5, [], {}, float("nan"), "3", (2,)]
NUMBERS = ("int", "float", "int | None", "float | None", "int | Sequence[int]", "int | Sequence[int] | None")


@every("cls", [cls for kind in CONFIGURED for cls in classes(kind)], ids=name_of, blocks=8)
@pytest.mark.filterwarnings("ignore")
def test_what_a_constructor_cannot_take_is_refused_with_its_name_and_that_of_the_argument(cls, cpu):
    sample = next(iter(cls._samples()))
    given = dict(zip(inspect.signature(cls).parameters, sample.made._constructor[0], strict=False)) | sample.made._constructor[1]
    for number, (name, parameter) in enumerate(parameters(cls).items()):
        for value in ("a text", WRONG[1 + number % (len(WRONG) - 1)]):
            try:
                cls(**given | {name: value})
            except (TypeError, ValueError, NotImplementedError) as error:
                assert name == "weights" or (cls.__name__ in str(error) and re.search(rf"\b{name}\b", str(error))), (name, value, error)
            else:
                assert value != "a text" or parameter.annotation not in NUMBERS, f"{name} is a number, and took text"


@pytest.mark.parametrize("kind", [registry.LOSSES, registry.METRICS], ids=["losses", "metrics"])
def test_a_function_has_the_defaults_of_its_class(kind):
    compared = 0
    for cls in classes(kind):
        made = next(iter(cls._samples())).made
        function = getattr(made, "fn", None) or getattr(made, "_fn", None)
        if function is not None:
            theirs = {name: p.default for name, p in inspect.signature(function).parameters.items() if p.default is not p.empty}
            own = {name: p.default for name, p in inspect.signature(cls).parameters.items() if name in theirs}
            assert own.items() <= theirs.items(), cls.__name__
            compared += len(own)
    assert compared > 10


def same_value(cls, made, again, sample, name):
    """A loss, an initializer and their like computes what the one from its config computes."""
    if cls._registered_kind is registry.LOSSES:
        values = [lambda made=made: made(*drawn(sample)) for made in (made, again)]
    elif cls._registered_kind is registry.INITIALIZERS and hasattr(made, "seed"):
        seeded = [cls.from_config(one.get_config() | {"seed": 3}) for one in (made, again)]
        values = [lambda one=one: one((4, 4)) for one in seeded]
    elif cls._registered_kind in (registry.REGULARIZERS, registry.CONSTRAINTS):
        x = np.random.default_rng(1).standard_normal((4, 4)).astype("float32")
        values = [lambda made=made: made(x) for made in (made, again)]
    else:
        return
    try:
        wanted = values[0]()
    except (TypeError, ValueError):
        return  # the other value does not go with the sample's arrays
    for found, want in zip(arrays(values[1]()), arrays(wanted), strict=True):
        np.testing.assert_array_equal(found, want, err_msg=name)
