"""What a look into a csv file says, in words, before it is used."""

from __future__ import annotations

import numpy as np
import pytest

from pyml.data import csv, inspect_csv


def read(data, found):
    return list(csv(data, **found.options))


def test_a_plain_file_gives_no_notes():
    found = inspect_csv(b"rooms,street\n3,High Street\n4,\n")
    assert (found.names, found.kinds, found.rows, found.more, found.notes) == (
        ["rooms", "street"], {"rooms": "float32", "street": "string"}, 2, False, [])  # fmt: skip
    assert found.missing == {"rooms": 0, "street": 1}


def test_more_rows_than_are_used_are_mentioned():
    data = b"a\n" + b"1\n" * 30
    assert inspect_csv(data, most_rows=30).more is False
    found = inspect_csv(data, most_rows=29)
    assert (found.rows, found.more) == (29, True)
    assert found.notes == ["The file has more than 29 rows; the first 29 are used."]


@pytest.mark.parametrize(("delimiter", "data"), [
    (";", b"a;b\n1;2\n"), ("\t", b"a\tb, c\n1\t2\n"), ("|", b"a|b\n1|2\n"), (",", b'"a;x",b\n1,2\n'), (",", b"a\n1\n"),
])  # fmt: skip
def test_what_stands_between_the_values_is_found(delimiter, data):
    assert inspect_csv(data).options["delimiter"] == delimiter


def test_decimal_commas_are_numbers_and_said():
    data = b"price;rooms;name\n3,5;2;x\n1200;3;y\n,25;4;z\n"
    found = inspect_csv(data)
    assert found.notes == ["Column 'price' has decimal commas, such as '3,5' in line 2; they are read as numbers."]
    assert [row["price"] for row in read(data, found)] == [np.float32(3.5), 1200, 0.25]


def test_a_point_in_a_file_with_decimal_commas_is_no_number():
    data = b"a;b\n3,5;1\n2,5;1.5\n"
    found = inspect_csv(data)
    assert found.kinds == {"a": "float32", "b": "string"}
    assert "Column 'b' is read as text: 1 of its 2 values are not numbers ('1.5')" in found.notes[1]
    assert read(data, found)[1] == {"a": np.float32(2.5), "b": "1.5"}


def test_separators_of_thousands_are_not_taken_for_fractions():
    found = inspect_csv(b"a;b\n1,234;x\n12,500;y\n")
    assert found.options["decimal"] == "."
    assert found.notes == [
        "Column 'a' is read as text: '1,234' in line 2 may have a separator of thousands or a decimal comma. Write it without."]


@pytest.mark.parametrize("value", ["$3", "3 \u20ac", "\u00a320.50", "15%", "7 EUR", "$-4"])
def test_signs_beside_numbers_are_named_with_their_line_and_column(value):
    found = inspect_csv(f"name,price\nx,{value}\ny,{value}\n".encode())
    (note,) = found.notes
    assert note.startswith(f"Column 'price' is read as text: {value!r} in line 2 has a sign beside the number. Take the sign out")


def test_no_header_is_said_and_no_row_is_lost():
    data = b"1,2.5,x\n3,4.5,y\n"
    found = inspect_csv(data)
    (note,) = found.notes
    assert note.startswith("The first line holds values (1, 2.5, x), no names; it is read as a row, and the columns are called column 1, ")
    assert read(data, found)[0] == {"column 1": 1, "column 2": 2.5, "column 3": "x"}


def test_years_as_names_do_not_make_a_line_of_texts_a_row():
    assert inspect_csv(b"country,code,2019\nCH,1,2\n").options["has_header"] is True


def test_one_row_is_said():
    assert inspect_csv(b"a,b\n1,2\n").notes == ["The file has one row only; that is too little to learn from."]


def test_a_few_texts_among_numbers_are_named():
    found = inspect_csv(b"age\n1\n2\nold\n3\nyoung\n")
    (note,) = found.notes
    assert note.startswith("Column 'age' is read as text: 2 of its 5 values are not numbers ('old', 'young'), the first in line 4. Take")


@pytest.mark.parametrize(("data", "message"), [
    (b"", r"the file is empty"),
    (b"a,b\n", r"a header line \(a, b\) and no rows"),
    (b"price,rooms\n3,5,2\n", r"line 2: expected 2 values, .* price, rooms. Received 3: 3, 5, 2\. Decimal commas .*semicolons"),
    (b"a;b\n1;2\n1;2\n3\n", r"line 4: expected 2 values"),
])  # fmt: skip
def test_files_that_cannot_be_read_are_refused_with_the_line(data, message):
    with pytest.raises(ValueError, match=message):
        inspect_csv(data)


def test_a_decimal_comma_between_values_that_commas_separate_is_refused():
    with pytest.raises(ValueError, match="decimal must be"):
        csv(b"a,b\n1,2\n", decimal=",")
    with pytest.raises(ValueError, match="decimal must be"):
        csv(b"a;b\n1;2\n", delimiter=";", decimal="x")


def test_integers_may_have_decimal_commas_too():
    (row,) = csv(b"a;b\n3,0;x,y\n", delimiter=";", decimal=",", column_configs={"a": {"dtype": "int32"}})
    assert row == {"a": 3, "b": "x,y"}
