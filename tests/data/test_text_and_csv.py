"""Text lines and csv files: what they give, that they stream, and what they refuse."""

import asyncio
import io
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import pyml
from pyml.data import CsvDataset, FileDataSource, TextLineDataset, URLDataSource, csv

HOMES = b"""rooms,age,street,price
3,10,High Street,200
4,,"Low ""Street"", left",310.5
"""


# ---- lines
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_do_not_depend_on_the_chunks(size):
    text = "\ufeffeins\r\nzwei ü €\n\nlast"
    source = FileDataSource(text.encode("utf-8"), chunk_size=size)
    assert list(TextLineDataset(source)) == ["eins", "zwei ü €", "", "last"]


def test_lines_of_several_files_come_one_file_after_the_other_and_in_turns_as_in_tf_data(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text(f"x\n{path.stem}1\n{path.stem}2\n", encoding="utf-8")
    assert list(TextLineDataset(paths)) == ["x", "a1", "a2", "x", "b1", "b2"]
    names = pyml.data.Dataset.list_files([str(path) for path in paths], shuffle=False)
    assert list(names.interleave(lambda name: TextLineDataset(name).skip(1), cycle_length=2)) == ["a1", "b1", "a2", "b2"]


def test_sources_may_be_paths_files_bytes_and_offsets(tmp_path):
    path = tmp_path / "two.txt"
    path.write_text("one\ntwo\n")
    with path.open("rb") as file:
        sources = [path, str(path), f"file://{path}", file, b"one\ntwo\n", io.BytesIO(b"one\ntwo\n"), io.StringIO("one\ntwo\n")]
        for source in sources:
            ds = TextLineDataset(source)
            assert list(ds) == list(ds) == ["one", "two"]
    assert list(TextLineDataset(FileDataSource(path, offset=4))) == ["two"]


def test_a_file_is_closed_when_its_loop_is_left(tmp_path, monkeypatch):
    path = tmp_path / "lines.txt"
    path.write_text("a\n" * 10)
    opened = []
    real = open
    monkeypatch.setattr("builtins.open", lambda *a, **k: opened.append(real(*a, **k)) or opened[-1])
    for _ in TextLineDataset(FileDataSource(path, chunk_size=4)).batch(2):
        break
    assert [file.closed for file in opened] == [True]


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(ValueError, match="the text after line 1 is not UTF-8"):
        list(TextLineDataset(FileDataSource(b"fine\n\xff\n", chunk_size=5)))


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("pyml.data.text.LONGEST", 100)
    with pytest.raises(ValueError, match="line 2 is longer than 100 characters"):
        list(TextLineDataset(FileDataSource(b"a\n" + b"x" * 200, chunk_size=30)))


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/homes.csv"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(HOMES if found else b"no")

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_addresses_are_streamed_by_for_and_async_for(server):
    async def lines():
        return [line async for line in TextLineDataset(f"{server}/homes.csv")]

    by_for = list(TextLineDataset(URLDataSource(f"{server}/homes.csv", chunk_size=5)))
    assert by_for == asyncio.run(lines()) == HOMES.decode().splitlines()
    assert next(iter(csv(f"{server}/homes.csv")))["street"] == "High Street"


def test_an_address_without_a_file_says_what_the_server_answered(server):
    with pytest.raises(OSError, match=r"nothing\.csv: the server answered 404"):
        list(csv(f"{server}/nothing.csv"))


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(OSError, match=r"http://127\.0\.0\.1:1/x: could not be reached"):
        list(TextLineDataset("http://127.0.0.1:1/x"))


# ---- csv
def test_rows_are_dicts_of_inferred_dtypes():
    first, second = csv(HOMES)
    assert first == {"rooms": 3, "age": 10, "street": "High Street", "price": 200}
    assert first["rooms"].dtype == np.float32 and second["price"] == np.float32(310.5)
    assert np.isnan(second["age"]) and second["street"] == 'Low "Street", left'


def test_labels_come_as_the_second_of_a_pair():
    ds = csv(HOMES, column_configs={"price": {"is_label": True, "dtype": "int32", "default": 0}, "age": {"default": 7}},
             configured_columns_only=True).take(1)
    ((x, y),) = ds
    assert x == {"age": 10} and y == {"price": 200} and y["price"].dtype == np.int32
    assert list(csv(HOMES, column_configs={"age": {"default": 7}}))[1]["age"] == 7


def test_every_dtype_reads_its_values():
    configs = {"f": {"dtype": "float32"}, "i": {"dtype": int}, "b": {"dtype": "bool"}, "s": {"dtype": "string"}, "d": {"default": True}}
    (row,) = csv(b"f,i,b,s,d\n1e3, 3.0,True,007,\n", column_configs=configs)
    assert row == {"f": 1000, "i": 3, "b": True, "s": "007", "d": True}
    assert [type(v).__name__ for v in row.values()] == ["float32", "int32", "bool", "str", "bool"]


def test_a_string_far_down_makes_a_string_column_only_within_the_sample():
    early = csv(b"a\n" + b"1\n" * 50 + b"x\n")
    assert next(iter(early))["a"] == "1"
    late = csv(b"a\n" + b"1\n" * 150 + b"x\n")
    with pytest.raises(ValueError, match=r"bytes, line 152: column 'a' was taken for float32, and 'x' is no such value"):
        list(late)


def test_na_values_are_missing_values():
    rows = list(csv(b"a,b\nNA,1\n2,?\n", na_value=("NA", "?")))
    assert np.isnan(rows[0]["a"]) and np.isnan(rows[1]["b"]) and rows[1]["a"] == 2


def test_quoted_values_may_hold_lines_and_delimiters():
    rows = list(csv(b'a;b\n"one\r\n\n;two";1\n""" ";2\n', delimiter=";"))
    assert [row["a"] for row in rows] == ["one\n\n;two", '" '] and rows[1]["b"] == 2


def test_whitespace_may_separate_values():
    rows = list(csv(b"  1 \t 2\n\n3 4", has_header=False, column_names=["a", "b"], delim_whitespace=True))
    assert rows == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_names_replace_those_of_the_header():
    ds = csv(HOMES, column_names=["r", "a", "s", "p"])
    assert next(iter(ds.take(1)))["r"] == 3 and ds.column_names() == ["r", "a", "s", "p"]
    assert csv(HOMES).column_names() == asyncio.run(csv(HOMES).column_names_async()) == ["rooms", "age", "street", "price"]


def test_a_line_by_itself_becomes_an_element():
    ds = csv(HOMES, column_configs={"price": {"is_label": True}})
    list(ds)
    x, y = ds.make_data_element("1,2,3,4")
    assert x == {"rooms": 1, "age": 2, "street": "3"} and y == {"price": 4}


def test_a_csv_may_be_read_twice_at_a_time():
    rows = csv(b"a\n" + b"".join(b"%d\n" % i for i in range(150)))
    pairs = list(pyml.data.Dataset.zip(rows, rows.skip(1)))
    assert len(pairs) == 149 and pairs[-1][0]["a"] == 148 and pairs[-1][1]["a"] == 149


def test_a_csv_dataset_is_a_dataset():
    ds = csv(HOMES)
    assert isinstance(ds, CsvDataset) and isinstance(ds, pyml.data.Dataset)
    (batch,) = ds.map(lambda row: {k: row[k] for k in ("rooms", "price")}).batch(2)
    assert batch["rooms"].dtype == np.float32 and batch["price"].tolist() == [200, 310.5]


def test_a_long_file_is_read_in_constant_memory(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1.5,some text\n" * 20_000)
    ds = csv(FileDataSource(path, chunk_size=4096))
    tracemalloc.start()
    try:
        rows = sum(1 for _ in ds.batch(8))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 2500 and peak < 250_000 < path.stat().st_size


@pytest.mark.parametrize(
    "data, options, message",
    [
        (b"a,b\n1,2\n3\n", {}, "bytes, line 3: expected 2 values, one for each of the columns a, b. Received 1."),
        (b'a,b\n"x\ny",2\n3,4,5\n', {}, "bytes, line 4: expected 2 values"),
        (b'a,b\n1,"2\n3\n', {}, "bytes, line 2: a quoted value is opened here and never closed."),
        (b'a,b\n1,"2"x\n', {}, "bytes, line 2: a quoted value must be followed by ',' or the end of the line."),
        (b"", {}, "the file is empty; expected a header line"),
        (b"a,a\n", {}, "These occur twice: 'a'"),
        (b"a,b\n1,\n", {"column_configs": {"b": {"required": True}}}, "line 2: the value of the required column 'b' is missing"),
        (b"a,b\n1,\n", {"column_configs": {"b": {"dtype": "int32"}}}, "int32 cannot express that; give column_configs={'b'"),
        (b"a,b\n1,1.5\n", {"column_configs": {"b": {"dtype": "int32"}}}, "line 2: column 'b' is int32, and '1.5' is no such value"),
        (b"a,b\n1,9999999999\n", {"column_configs": {"b": {"dtype": "int32"}}}, "'9999999999' is no such value"),
        (b"a,b\n1,yes\n", {"column_configs": {"b": {"dtype": "bool"}}}, "column 'b' is bool, and 'yes'"),
        (b"a,b\n", {"column_configs": {"c": {}}}, "there is no column 'c'. The columns are a, b."),
        (b"a\n", {"column_configs": {"a": {"dtype": "date"}}}, "must be one of float32, int32, bool, string. Received: 'date'"),
        (b"a\n", {"column_configs": {"a": {"label": True}}}, "may hold required, dtype, default, is_label. Received: label"),
        (b"a\n", {"column_configs": {"a": {"required": True, "default": 1}}}, "its default would never be used"),
        (b"a\n", {"column_configs": {"a": {"dtype": "int32", "default": "x"}}}, "the default of column 'a' must be of dtype int32"),
        (b"1\n", {"has_header": False}, "give column_names where the file has no header"),
        (b"a\n", {"configured_columns_only": True}, "needs column_configs"),
        (b"a\n", {"delimiter": ",,"}, "delimiter must be one character"),
        (b"a\n", {"delimiter": ";", "delim_whitespace": True}, "give either delimiter or delim_whitespace"),
    ],
)
def test_bad_csv_is_refused_in_one_sentence(data, options, message):
    with pytest.raises(ValueError) as caught:
        list(csv(data, **options))
    assert message in str(caught.value)


def test_a_source_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.csv"):
        csv(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="Received a int"):
        TextLineDataset(3)


def test_rows_before_a_mistake_come_first_wherever_it_stands():
    rows = [f"{i},{i / 2}" for i in range(700)]
    rows[600] = "600,half"
    read = iter(pyml.data.csv(("a,b\n" + "\n".join(rows)).encode()))
    assert [next(read)["b"].item() for _ in range(600)] == [i / 2 for i in range(600)]
    with pytest.raises(ValueError, match="line 602: column 'b' was taken for float32, and 'half' is no such value"):
        next(read)
    gaps = pyml.data.csv(b"a,b\n" + b"1,x\n" * 150 + b",\n", column_configs={"b": {"is_label": True}})
    (a, b) = list(gaps)[-1]
    assert np.isnan(a["a"]) and b["b"] == ""


def test_rows_read_in_blocks_are_those_read_one_by_one(monkeypatch):
    random = np.random.default_rng(4)
    plain = ["1", "2.5", "-3e2", "0.1", "-999", "8"]
    odd = ["", " ", "nan", "NA", "-inf", "1e400", " 2.5 ", "1_000", "ab", '"7"', '"u,v"', "1,2"]
    options = [{}, {"na_value": ("-999", "NA")}, {"column_configs": {"b": {"dtype": "float32", "required": True, "is_label": True}}},
               {"column_configs": {"c": {"dtype": "int32", "default": 5}}}, {"column_configs": {"c": {}}, "configured_columns_only": True}]

    def outcome(text, given):
        found = []
        try:
            found += csv(text.encode(), **given)
        except ValueError as error:
            found.append(str(error))
        return repr(found)

    read, files = [], []
    for turn in range(25):
        rows = random.choice(plain, (350, 3)).tolist()
        for place in random.integers(0, 350, turn % 5):
            rows[place][place % 3] = str(random.choice(odd))
        files.append(("\n".join(map(",".join, [["a", "b", "c"], *rows])), options[turn % 4 if turn < 20 else 4]))
        read.append(outcome(*files[-1]))
    assert 5 < sum("line" in result for result in read) < 20             # mistakes, and files read to their end
    monkeypatch.setattr(pyml.data.csv_dataset, "_together", lambda *block: None)
    assert read == [outcome(*file) for file in files]
