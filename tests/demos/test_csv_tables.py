"""How the regression demo reads csv files as people write them: what it takes for what, in words; nothing is lost in silence."""

import pytest


@pytest.fixture(scope="module")
def table(demo_module):
    return demo_module("regression", "table")


def lines(text):
    return text.decode().splitlines()


@pytest.mark.parametrize(
    ("text", "plain", "note"),
    [
        ("a;b\n1,5;2\n-,5;3\n", ["1.5,2", "-.5,3"], "a: decimal commas, “1,5” is 1.5."),
        ("a;b\n1.234,5;2\n3;3\n", ["1234.5,2", "3,3"], "a: decimal commas, “1.234,5” is 1234.5."),
        ('a,b\n"1,234",2\n"1,234,567.5",3\n', ["1234,2", "1234567.5,3"], "a: commas between thousands, “1,234” is 1234."),
        ("a,b\n$3,1\n-$4.50,2\n", ["3,1", "-4.50,2"], "a: units left out, “$3” is 3."),
        ('a,b\n"$1,200.50",1\n$3,2\n', ["1200.50,1", "3,2"], "a: commas between thousands and units left out, “$1,200.50” is 1200.5."),
        ("a;b\n3,5 €;1\n4 €;2\n", ["3.5,1", "4,2"], "a: decimal commas and units left out, “3,5 €” is 3.5."),
        ("a,b\n12 %,1\n1\u00a0234,2\n", ["12,1", "1234,2"], "a: units left out, “12 %” is 12."),
        ("a\tb\n1\t2\n", ["1,2"], "Values are separated by tabs."),
        ("a;b\n1;2\n", ["1,2"], "Values are separated by semicolons."),
        ("a|b\n1|2\n", ["1,2"], "Values are separated by bars."),
        ("sep=;\r\na;b\r\n1;2\r\n", ["1,2"], "Values are separated by semicolons."),
        ("a,b\n\u22123,1\n4,2\n", ["-3,1", "4,2"], "a: units left out, “\u22123” is -3."),
        ("a,a,a 2\n1,2,3\n", ["1,2,3"], "Another column is called a already: this one is a 3 here."),
        ("a,b\n#N/A,1\n1e39,1\n2,3\n", [",1", ",1", "2,3"], "a: 1 number beyond 3.4e+38 left out as missing, such as 1e39."),
        ("1,2\n3,4\n", ["1,2", "3,4"], "The first line looks like values, so it counts as a row and the columns are numbered."),
        ("a,b\n1e39,1\n2,3\n", [",1", "2,3"], "a: 1 number beyond 3.4e+38 left out as missing, such as 1e39."),
        ("a,b\ninf,1\n2,3\n", [",1", "2,3"], "a: 1 number beyond 3.4e+38 left out as missing, such as inf."),
        ("a;b\n1,5;1\n2.5;2\n", ['"1,5",1', "2.5,2"], "a is taken as texts: its numbers are written in different ways."),
        ("M\ufffdnchen,b\n1,2\n", ["1,2"], "Some letters could not be read, because the file is not UTF-8: they are shown as \ufffd."),
    ],
)
def test_the_table_is_made_plain_and_says_how(table, text, plain, note):
    read = table.Table(text)
    assert lines(read.source)[1:] == plain and note in read.notes


def test_a_plain_table_is_taken_as_it_is_without_a_word(table):
    text = "\ufeffx,word,y\n1,a,2.5\nNA,,3\n-4e2,c,\n"
    assert table.Table('said,y\n"two\nlines",1\n').texts == ["said"]
    read = table.Table(text)
    assert lines(read.source) == ["x,word,y", "1,a,2.5", ",,3", "-4e2,c,"]
    assert (read.notes, read.texts, read.has_header) == ([], ["word"], True)


def test_rows_beyond_what_the_page_takes_are_counted(table):
    read = table.Table("x,y\n" + "1,2\n" * 25_000)
    assert len(lines(read.source)) == 20_001 and read.notes == ["It has 25,000 rows; the first 20,000 are taken, 5,000 are left out."]


def test_a_text_far_down_in_a_column_of_numbers_is_named(table):
    read = table.Table("x,y\n" + "".join(f"{i},{i}\n" for i in range(500)) + "oops,1\n")
    assert read.texts == ["x"] and read.notes == ["x is taken as texts: “oops” in line 502 is not a number."]


def test_the_user_may_say_whether_there_are_names(table):
    assert table.Table("1,2\n3,4\n", has_header=True).names == ["1", "2"]
    assert table.Table("a,b\nc,d\n", has_header=False).names == ["column 1", "column 2"]
    assert table.Table("city,rent\nBern,10\n").has_header and not table.Table("Oslo,20\nBern,10\n").has_header


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"), ("a,b\n", "header line and no rows"), ("a,b\n1,2\n3\n", "line 3: expected 2 values"),
        ("a\n1,2\n", "line 2: expected 1 value, as"),
        ("PK\x03\x04\x14\0\x06", "save the table as csv"), ("a,b\n1\0,2\n", "this is no text"),
        ("sep=;\n", "empty but for the line"), ('a,b\n"x,1\n', "line 2: unexpected end of data"),
        ('a,b\n1,2\n"x\ny",2\n4\n', "line 5: expected 2 values"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_said_with_its_line(table, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        table.Table(text)
