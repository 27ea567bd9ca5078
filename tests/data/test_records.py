"""TFRecord files and Examples, byte for byte; files, folders and tables as datasets."""

import gzip
import struct
import sys
import zlib

import numpy as np
import pytest

from pyml.data import (
    Dataset,
    Example,
    FixedLenFeature,
    TFRecordDataset,
    TFRecordWriter,
    VarLenFeature,
    arrow,
    from_files,
    from_table,
    image_folder,
    parquet,
    parse_example,
    parse_single_example,
    text_line,
)
from pyml.data.crc import crc32c
from pyml.data.tfrecord import record


def test_checksums_are_those_of_rfc_3720_and_long_ones_those_of_the_plain_loop():
    assert crc32c(bytes(32)) == 0x8A9136AA and crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E and crc32c(b"123456789") == 0xE3069283
    for n in (4096, 5000, 262144, 300001):
        data = np.random.default_rng(n).integers(0, 256, n, np.uint8).tobytes()
        crc, table = 0xFFFFFFFF, []
        for value in range(256):
            for _ in range(8):
                value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
            table.append(value)
        for byte in data:
            crc = table[(crc ^ byte) & 255] ^ crc >> 8
        assert crc32c(data) == crc ^ 0xFFFFFFFF


def test_an_example_is_the_bytes_that_protobuf_makes_of_it():
    """Field by field: features (1) hold entries (1) of a key (1) and a feature (2); lists are 1 bytes, 2 floats, 3 integers."""
    data = Example({"b": [1, 300], "a": ["x"], "c": [0.5]}).SerializeToString()
    a = b"\x0a\x01a\x12\x05\x0a\x03\x0a\x01x"
    b = b"\x0a\x01b\x12\x07\x1a\x05\x0a\x03\x01\xac\x02"
    c = b"\x0a\x01c\x12\x08\x12\x06\x0a\x04" + struct.pack("<f", 0.5)
    entries = b"".join(b"\x0a" + bytes([len(e)]) + e for e in (a, b, c))
    assert data == b"\x0a" + bytes([len(entries)]) + entries
    unpacked = b"\x0a\x01b\x12\x07\x1a\x05\x08\x01\x08\xac\x02"  # an older writer does not pack integers
    assert Example.FromString(b"\x0a\x0e\x0a" + bytes([len(unpacked)]) + unpacked).features["b"].tolist() == [1, 300]


def test_examples_come_back_from_files_in_every_compression(tmp_path):
    rows = [{"x": np.arange(i, dtype="float32"), "n": -i, "s": [b"\0\xff", "é"]} for i in range(4)]
    for kind in (None, "GZIP", "ZLIB"):
        path = tmp_path / f"{kind}.tfrecord"
        with TFRecordWriter(path, kind) as writer:
            for row in rows:
                writer.write(Example(row).SerializeToString())
            assert not path.exists()                   # it has its name when it is whole
        ds = TFRecordDataset([path, path], compression_type=kind)
        found = [Example.FromString(data) for data in ds]
        assert found == [Example(row) for row in rows] * 2 and found[3].features["n"].tolist() == [-3]
    raw = b"".join(record(Example(row).SerializeToString()) for row in rows)
    assert (tmp_path / "None.tfrecord").read_bytes() == raw == gzip.decompress((tmp_path / "GZIP.tfrecord").read_bytes())
    assert zlib.decompress((tmp_path / "ZLIB.tfrecord").read_bytes()) == raw


def test_parsed_features_have_their_shapes_and_defaults():
    data = Example({"x": [1.0, 2.0, 3.0, 4.0], "label": 3, "name": "Ada"}).SerializeToString()
    wanted = {
        "x": FixedLenFeature((2, 2), "float32"), "label": FixedLenFeature([], "int64"), "name": FixedLenFeature([], "string"),
        "gone": FixedLenFeature([2], "int64", default_value=-1), "none": VarLenFeature("string"),
    }  # fmt: skip
    row = parse_single_example(data, wanted)
    assert row["x"].tolist() == [[1, 2], [3, 4]] and row["label"] == 3 and row["name"][()] == b"Ada"
    assert row["gone"].tolist() == [-1, -1] and row["none"].shape == (0,)
    batch = parse_example([data, data], wanted)
    assert batch["x"].shape == (2, 2, 2) and batch["name"].tolist() == [b"Ada"] * 2 and len(batch["none"]) == 2


@pytest.mark.parametrize("spec, message", [
    ({"no": FixedLenFeature([], "int64")}, "no feature 'no', and it has no default_value"),
    ({"x": FixedLenFeature([], "int64")}, "'x' is float32, not int64"),
    ({"x": FixedLenFeature([3], "float32")}, "has 2 values, and shape [3] needs 3"),
    ({"x": FixedLenFeature([3], "float16")}, "must be \"float32\""),
])  # fmt: skip
def test_features_that_do_not_fit_are_named(spec, message):
    with pytest.raises(ValueError) as caught:
        parse_single_example(Example({"x": [1.0, 2.0]}).SerializeToString(), spec)
    with pytest.raises(TypeError, match="values of one kind, text or numbers"):
        Example({"x": [1.0, "a"]})
    assert message in str(caught.value)


def test_broken_records_are_named():
    good = record(b"one") + record(b"two")
    for broken, message in [
        (good[:-1], "record 1 ends too early"), (good[:5], "record 0 ends too early"),
        (good[:-5] + b"\0" + good[-4:], "record 1 has a wrong checksum"), (b"no tfrecord at all", "record 0 has a length with"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            list(TFRecordDataset(broken))
    with pytest.raises(ValueError, match="could not be decompressed"):
        list(TFRecordDataset(good, "GZIP"))
    for harmful in (b"\x0a\xff", b"\x0b", b"\x0c", b"\x09" + bytes(7), b"\x0d" + bytes(3), b"\x08" + b"\xff" * 10):
        with pytest.raises(ValueError, match="are not an Example"):
            Example.FromString(harmful)
    turns = [number for at in (7, 14, 21, 31, 32, 62) for number in (2**at - 1, 2**at, 2**at + 1, -(2**at))] + [2**63 - 1, -(2**63), 0]
    assert Example.FromString(Example({"n": turns, "x" * 200: ["y" * 128]}).SerializeToString()).features["n"].tolist() == turns
    known = Example({"a": 3})
    for number, more in enumerate((b"\x05", bytes(8), b"\x02xy", None, None, bytes(4))):  # fields of other writers, of each kind
        if more is not None:
            assert Example.FromString(bytes([13 << 3 | number]) + more + known.SerializeToString()) == known


def test_files_of_bytes_text_lines_and_pictures(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        pillow.fromarray(np.full((4, 6, 3), 40 if kind == "cat" else 200, "uint8")).save(tmp_path / kind / "one.png")
        (tmp_path / f"{kind}.txt").write_text(f"{kind}\nagain")
    assert list(from_files(str(tmp_path / "*.txt"), read="text")) == ["cat\nagain", "dog\nagain"]
    assert list(from_files([tmp_path / "cat.txt"], read=len)) == [9]
    assert [p.shape for p in from_files(str(tmp_path / "*/*.png"), read="image")] == [(4, 6, 3)] * 2
    assert list(text_line([tmp_path / "cat.txt", tmp_path / "dog.txt"])) == ["cat", "again", "dog", "again"]
    ds = image_folder(tmp_path, image_size=(4, 6))
    assert [(float(x.max()), int(y)) for x, y in ds] == [(40.0, 0), (200.0, 1)] and ds.class_names == ["cat", "dog"]
    assert [str(p)[-7:] for p in Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)] == ["cat.txt", "dog.txt"]


def test_tables_in_memory_are_datasets_of_rows():
    table = {"rooms": [3, 4, 5], "city": ["Bern", "Oslo", ""]}
    assert [(int(r["rooms"]), str(r["city"])) for r in from_table(table)] == [(3, "Bern"), (4, "Oslo"), (5, "")]
    assert [b["rooms"].tolist() for b in from_table(table, ["rooms"], batch_size=2)] == [[3, 4], [5]]
    with pytest.raises(ValueError, match=r"no column 'price'; the columns are 'rooms', 'city'"):
        from_table(table, ["price"])
    with pytest.raises(TypeError, match="Received a int"):
        from_table(3)


def test_parquet_and_arrow_files_are_read_where_pyarrow_is(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parts = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"x": [1.5, None, 2.5], "s": ["a", "b", "c"]})
    parts.write_table(table, tmp_path / "t.parquet")
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    for ds in (parquet(tmp_path / "t.parquet"), arrow(str(tmp_path / "t.arrow")), from_table(table)):
        rows = list(ds)
        assert [r["s"] for r in rows] == ["a", "b", "c"] and np.isnan(rows[1]["x"]) and len(ds) == 3
    assert [b["s"].tolist() for b in parquet(tmp_path / "t.parquet", ["s"], batch_size=2)] == [["a", "b"], ["c"]]


def test_without_a_reader_of_parquet_the_error_says_what_to_install(tmp_path, monkeypatch):
    for name in ("pyarrow", "pyarrow.parquet", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    for read in (parquet, arrow):
        with pytest.raises(ImportError, match="pip install pyarrow"):
            read(tmp_path / "t.parquet")
    with pytest.raises(FileNotFoundError, match="no file '/nowhere'"):
        parquet("/nowhere")
