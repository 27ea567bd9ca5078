"""Small HDF5 files of each form that h5py writes, with what h5py finds in them, and the digest of one that pyml wrote and h5py has read:
`python make_hdf5_files.py` where h5py is installed makes `hdf5_files.json`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TABLE = np.arange(60, dtype="f4").reshape(6, 10) / 8
DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f4", ">i2", "?")


def arrays(f):
    """Every dtype, contiguous; no axes, and no elements."""
    for dtype in DTYPES:
        f[f"of {dtype}"] = (TABLE * 8).astype(dtype)
    f["scalar"], f["empty"] = np.float32(2.5), np.zeros((0, 3), "f4")


def attributes(f):
    f.attrs.update({"text": "ä text", "none": "", "bytes": np.bytes_(b"fixed"), "texts": ["one", "two", "three"], "yes": True})
    f["in/side"] = TABLE[0]
    f["in/side"].attrs["unit"] = "m"
    f["in"].attrs.update({"fixed": np.array([b"a", b"bcd"]), "number": 3, "float": np.float32(0.5),
                          "numbers": np.arange(4, dtype="i2").reshape(2, 2)})  # fmt: skip


def wide(f):
    """Groups with more items than a node of their tree holds."""
    for i in range(45):
        f[f"layer_{i * 7 % 45}/w"] = np.float32(i)
    f.create_group("nothing")


def chunked(f):
    """Arrays in parts, with each filter and none; some parts not written, some with fewer elements than they hold."""
    filters = {"plain": {}, "gzip": {"compression": "gzip"}, "shuffled": {"shuffle": True}, "checked": {"fletcher32": True},
               "all": {"compression": "gzip", "shuffle": True, "fletcher32": True}}  # fmt: skip
    for name, how in filters.items():
        f.create_dataset(name, data=TABLE, chunks=(4, 3), **how)
    f.create_dataset("odd", data=np.arange(7, dtype="f8"), chunks=(3,), shuffle=True, compression="gzip")
    f.create_dataset("unwritten", (5, 4), "f4", chunks=(2, 2))
    f.create_dataset("partly", (5, 4), "f4", chunks=(2, 2))[4, 3] = 7
    grown = f.create_dataset("grown", (2, 3), "i4", maxshape=(None, 3), chunks=(2, 3))
    grown.resize((5, 3))
    grown[...] = np.arange(15).reshape(5, 3)
    f.create_dataset("many", data=np.arange(300, dtype="i2"), chunks=(2,))  # a tree of two levels


def few(f):
    """So few items that newer files keep them in the headers of their groups."""
    f["a/of ä"], f["b"] = TABLE[1], np.arange(3, dtype="i8")
    f.attrs["text"], f["b"].attrs["numbers"] = "ä", [1, 2]


def compact(f):
    """Values in the header of the array."""
    import h5py

    how, space = h5py.h5p.create(h5py.h5p.DATASET_CREATE), h5py.h5s.create_simple((3,))
    how.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(f.id, b"small", h5py.h5t.NATIVE_FLOAT, space, how).write(space, space, TABLE[2, :3].copy())


def unusual(f):
    """What is left to h5py: links in a heap."""
    for i in range(20):
        f[f"item {i}"] = np.float32(i)


FILES = {**{make.__name__: (make, {"libver": "earliest"}) for make in (arrays, attributes, wide, chunked, compact, few)},
         "few, new": (few, {"libver": "latest"}), "few, ordered": (few, {"libver": "latest", "track_order": True}),
         "few, between": (few, {"libver": "v108"}),
         "compact, new": (compact, {"libver": "latest"}), "unusual": (unusual, {"libver": "latest"}),
         "unusual parts": (lambda f: f.create_dataset("a", data=TABLE, chunks=(4, 3)), {"libver": "latest"})}  # fmt: skip


def plain(value):
    """An array or an attribute: texts, a number, or dtype, shape and values."""
    array = np.asarray(value)
    if array.dtype.kind in "SOU" or (isinstance(value, list) and not value):
        texts = [v.decode() if isinstance(v, bytes) else str(v) for v in array.ravel().tolist()]
        return texts if array.shape else texts[0]
    return [array.dtype.newbyteorder("=").name, list(array.shape), array.astype(float).ravel().tolist()] if array.shape else float(array)


def described(item, inside, value):
    """What a group (or an array) holds, by path: of h5py's and of pyml's, which `inside` and `value` tell apart."""
    items = inside(item)
    found = {"": None if items is not None else plain(value(item)), **{f"@{key}": plain(one) for key, one in item.attrs.items()}}
    for name, below in dict(items or {}).items():
        found |= {f"{name}/{key}": one for key, one in described(below, inside, value).items()}
    return found


def written():
    """Groups of every kind of items and attributes, for the writer."""
    sys.path.insert(0, str(HERE.parents[1]))
    from pyml.saving.keras.hdf5 import Group

    root = Group(attrs={"text": "ä", "none": "", "list": ["a", "bcd", b"e"], "no texts": [], "number": 3, "numbers": np.arange(4.0)})
    for dtype in DTYPES:
        root.items[f"of {dtype}"] = (TABLE * 8).astype(dtype)
    root.items["scalar"], root.items["empty"] = np.float32(2.5), np.zeros((0, 3), "f4")
    for i in range(45):
        root.group(f"layers/layer_{i}/vars").items["0"] = TABLE[:2, : 1 + i % 10]
    root.group("layers/nothing").attrs["name"] = "text"
    return root


if __name__ == "__main__":
    import h5py

    def content(data):
        with h5py.File(io.BytesIO(data), "r") as f:
            return described(f, lambda item: item if isinstance(item, h5py.Group) else None, lambda item: item[()])

    made = {}
    for name, (fill, how) in FILES.items():
        out = io.BytesIO()
        with h5py.File(out, "w", **how) as f:
            fill(f)
        made[name] = {"file": base64.b85encode(zlib.compress(out.getvalue(), 9)).decode(), "holds": content(out.getvalue())}
    root = written()
    from pyml.saving.keras.hdf5 import write

    ours = b"".join(bytes(piece) for piece in write(root))
    made["written"] = {"sha256": hashlib.sha256(ours).hexdigest(), "holds": content(ours)}
    made["_made_by"] = f"h5py {h5py.__version__}"
    (HERE / "hdf5_files.json").write_text(json.dumps(made, ensure_ascii=False) + "\n", encoding="utf-8")
