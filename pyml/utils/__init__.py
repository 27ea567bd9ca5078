"""Helpers with Keras' names: `Progbar`, `to_categorical`, `set_random_seed`, serialisation decorators."""

from pyml.utils.data_utils import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from pyml.utils.naming import reset_names
from pyml.utils.numerical import normalize, to_categorical
from pyml.utils.progbar import Progbar
from pyml.utils.seeds import set_random_seed


def clear_session(free_memory=True):
    """Starts automatic layer names again at `dense`, `conv2d`, ...

    Args:
        free_memory: Also collect unreachable objects now, so their device buffers return to the pool.
    """
    reset_names()
    if free_memory:
        import gc

        gc.collect()


def is_keras_tensor(x):
    """True for the symbolic tensors that `Input` and calls on them return."""
    return getattr(x, "_keras_history", None) is not None


__all__ = [
    "Progbar", "PyDataset", "clear_session", "is_keras_tensor", "normalize", "pack_x_y_sample_weight",
    "set_random_seed", "to_categorical", "unpack_x_y_sample_weight",
]
