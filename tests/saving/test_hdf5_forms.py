"""HDF5 in each form that h5py writes, read here, and what is written here (`goldens/make_hdf5_files.py`)."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zlib
from pathlib import Path

import make_hdf5_files as cases
import numpy as np
import pytest

from pyml.saving import ModelFileError
from pyml.saving.keras.hdf5 import Group, write
from pyml.saving.keras.hdf5_read import read

GOLDENS = json.loads((Path(cases.__file__).parent / "hdf5_files.json").read_text(encoding="utf-8"))


def content(data):
    return cases.described(read(data, "x.h5"), lambda item: item.items if isinstance(item, Group) else None, np.asarray)


@pytest.mark.parametrize("name", cases.FILES)
def test_a_file_of_h5py_holds_what_h5py_finds_in_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    data = zlib.decompress(base64.b85decode(GOLDENS[name]["file"]))
    if name.startswith("unusual"):
        with pytest.raises(ModelFileError, match="which only h5py reads here; `pip install h5py`"):
            read(data, "x.h5")
    else:
        assert content(data) == GOLDENS[name]["holds"]


def test_what_is_written_has_the_bytes_that_h5py_has_read():
    data = b"".join(bytes(piece) for piece in write(cases.written()))
    assert content(data) == GOLDENS["written"]["holds"]
    assert hashlib.sha256(data).hexdigest() == GOLDENS["written"]["sha256"], "run make_hdf5_files.py: h5py has not read such bytes so far"
