"""Logs of a batch, read from the device only when somebody looks."""

from collections.abc import Mapping


class BatchLogs(Mapping):
    """A mapping like the dict that Keras passes to batch hooks.

    Args:
        names: The keys.
        tensor: The values on the device; they do not change when training goes on.
        unpack: Turns the host copy into a dict.
    """

    def __init__(self, names, tensor, unpack):
        self._names = names
        self._tensor = tensor
        self._unpack = unpack
        self._values = None

    def _read(self):
        if self._values is None:
            self._values = self._unpack(self._tensor.numpy())[0]
            self._tensor = None
        return self._values

    def __getitem__(self, name):
        return self._read()[name]

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __contains__(self, name):
        return name in self._names

    def __repr__(self):
        return repr(self._read())
