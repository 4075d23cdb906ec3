"""Tables, notebooks, books, archives and code: what a person would want quoted from them."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from index.documents import Document
from index.errors import FailedFile, SkippedFile
from index.formats import archive, epub
from index.loading import Problem, load


def read(tmp_path: Path, name: str, data: str | bytes) -> list[Document | Problem]:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(load(path, name))


def texts(found: list[Document | Problem]) -> dict[str, str]:
    return {one.source: one.text for one in found if isinstance(one, Document)}


def reasons(found: list[Document | Problem]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Problem)]


def packed(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name), content, method)
    return data.getvalue()


# --- tables


def test_a_row_says_which_column_each_value_is_from(tmp_path: Path) -> None:
    found = read(tmp_path, "people.csv", 'Name,Born,Note\r\nAda,1815,"wrote, the first"\r\n\r\nAlan,1912,\r\n')
    assert texts(found) == {
        "people.csv#2": "Name: Ada; Born: 1815; Note: wrote, the first",
        "people.csv#4": "Name: Alan; Born: 1912",
    }
    assert [one.title for one in found if isinstance(one, Document)] == ["Ada", "Alan"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "city;people\nOslo;700,000\nBergen;290,000\n"),
        ("a.csv", "city|people\nOslo|700,000\nBergen|290,000\n"),
        ("a.tsv", "city\tpeople\nOslo\t700,000\nBergen\t290,000\n"),
        ("a.csv", '\ufeffcity,people\nOslo,"700,000"\nBergen,"290,000"\n'.encode()),
        ("a.csv", "city;people\nOslo;700,000\nBergen;290,000\n".encode("utf-16")),
        ("a.csv", "city;people\nOslo;700,000\nBergen;290,000\n".encode("utf-32")),
    ],
)
def test_delimiters_and_marks(tmp_path: Path, name: str, data: str | bytes) -> None:
    found = read(tmp_path, name, data)
    assert list(texts(found).values()) == ["city: Oslo; people: 700,000", "city: Bergen; people: 290,000"]
    assert reasons(found) == []


def test_tables_without_names_of_columns(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "a.csv", "1815,Ada\n1912,Alan\n")) == {
        "a.csv#1": "1815 | Ada",
        "a.csv#2": "1912 | Alan",
    }


def test_rows_with_ids_and_long_values(tmp_path: Path) -> None:
    long = "A sentence of a report. " * 12
    found = read(tmp_path, "a.csv", f'id,kind,report\nx,first,"{long}"\nx,again,\ny,second,"two\nlines"\n')
    assert texts(found) == {
        "a.csv#x": f"id: x; kind: first\nreport: {long.strip()}",
        "a.csv#y": "id: y; kind: second; report: two lines",
    }
    assert reasons(found) == ["row 3: id 'x' is that of row 2 already"]


def test_a_collection_as_a_table_is_its_texts(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tsv", 'id\ttext\ttitle\n1\tSaid "so" once.\tQuotes\n')
    assert [(one.source, one.title, one.text) for one in found if isinstance(one, Document)] == [
        ("a.tsv#1", "Quotes", 'Said "so" once.')
    ]


def test_a_guessed_encoding_deep_in_a_table_is_said(tmp_path: Path) -> None:
    data = b"city,people\n" + b"Oslo,1\n" * 20_000 + "Århus,2\n".encode("cp1252")
    found = read(tmp_path, "a.csv", data)
    assert reasons(found) == ["its encoding is a guess: read as cp1252"]
    assert texts(found)["a.csv#20002"] == "city: Århus; people: 2"


@pytest.mark.parametrize("data", [b"", b"\n\n", b",,\n", b"a,b\n", b"\0\1\2binary"])
def test_tables_of_nothing_are_skipped(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SkippedFile):
        read(tmp_path, "a.csv", data)


def test_odd_tables_end(tmp_path: Path) -> None:
    wide = ",".join(f"c{n}" for n in range(50_000)) + "\n" + ",".join("1" for _ in range(50_000)) + "\n"
    assert texts(read(tmp_path, "a.csv", wide))["a.csv#2"].endswith("; c49999: 1")
    huge = "name,note\nx," + "y" * 5_000_000 + "\n"
    assert len(texts(read(tmp_path, "a.csv", huge))["a.csv#2"]) > 5_000_000
    open_quote = 'name,note\nx,"never closed\ny,z\n'
    assert texts(read(tmp_path, "a.csv", open_quote)) == {"a.csv#2": "name: x; note: never closed y,z"}


# --- notebooks


def test_a_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Ice cores\n", "\n", "Drilled in **2019**."]},
        {
            "cell_type": "code",
            "source": "def depth(core):\n    return core.depth",
            "outputs": [
                {"output_type": "stream", "text": [f"line {n}\n" for n in range(30)]},
                {"output_type": "execute_result", "data": {"text/plain": "42", "image/png": "AAAA"}},
            ],
        },
        {"cell_type": "raw", "source": "as it is"},
    ]
    (document,) = read(tmp_path, "a.ipynb", json.dumps({"cells": cells, "nbformat": 4}))
    assert isinstance(document, Document)
    assert document.title == "Ice cores"
    assert document.text.startswith(
        "Ice cores\n\nDrilled in 2019.\n\ndef depth(core):\n    return core.depth\n\nline 0\n"
    )
    assert document.text.endswith("line 19 …\n\n42\n\nas it is")
    assert document.heading_at(document.text.index("return")) == "Ice cores"


def test_an_old_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "x = 1", "outputs": []},
    ]
    (document,) = read(tmp_path, "a.ipynb", json.dumps({"worksheets": [{"cells": cells}]}))
    assert isinstance(document, Document)
    assert document.text == "Old\n\nx = 1"


@pytest.mark.parametrize("data", ["[]", "{}", "no", '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook(tmp_path: Path, data: str) -> None:
    with pytest.raises(FailedFile):
        read(tmp_path, "a.ipynb", data)


@pytest.mark.parametrize("cells", [[], [3], [{"cell_type": "code", "outputs": [3, {"data": 4}]}]])
def test_notebooks_of_nothing_are_skipped(tmp_path: Path, cells: object) -> None:
    with pytest.raises(SkippedFile):
        read(tmp_path, "a.ipynb", json.dumps({"cells": cells}))


# --- code


def test_code_keeps_its_lines_under_its_functions(tmp_path: Path) -> None:
    code = '"""About."""\n\nclass Stove:\n\n    def light(self):\n        return "lit"\n\nasync def main():\n\tpass\n'
    (document,) = read(tmp_path, "stove.py", code)
    assert isinstance(document, Document)
    assert document.title == "stove.py"
    assert document.text == code.replace("\t", "    ").rstrip()
    assert document.heading_at(document.text.index("return")) == "class Stove > def light"
    assert document.heading_at(document.text.index("pass")) == "def main"
    assert document.heading_at(0) == ""


@pytest.mark.parametrize(
    ("name", "code", "heading"),
    [
        ("a.rs", "pub(crate) fn melt(ice: Ice) {\n  x\n}", "fn melt"),
        ("a.js", "export default function melt(ice) {\n  x\n}", "function melt"),
        ("a.kt", "data class Ice(val x: Int) {\n  x\n}", "class Ice"),
        ("a.yaml", "class: none\nobject x\n  x", ""),
        ("a.c", "int main(void) {\n  x;\n}", ""),
    ],
)
def test_other_languages(tmp_path: Path, name: str, code: str, heading: str) -> None:
    (document,) = read(tmp_path, name, code)
    assert isinstance(document, Document)
    assert document.text == code
    assert document.heading_at(document.text.index("  x")) == heading


def test_json_on_one_line_is_spread(tmp_path: Path) -> None:
    value = {"name": "Ågot", "list": list(range(1000))}
    (document,) = read(tmp_path, "a.json", json.dumps(value))
    assert isinstance(document, Document)
    assert document.text.startswith('{\n "name": "Ågot",\n "list": [\n  0,\n')
    (document,) = read(tmp_path, "a.json", '{"a":\n  1}')
    assert isinstance(document, Document)
    assert document.text == '{"a":\n  1}'
    with pytest.raises(FailedFile, match=r"^too deeply nested to read$"):
        read(tmp_path, "a.json", "[" * 100_000 + "]" * 100_000)


# --- books

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="O E/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>The Long Winter</dc:title></metadata><manifest>
<item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="p" href="x.png" media-type="image/png"/>
</manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/><itemref idref="gone"/></spine>
</package>"""
NAV = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    '<body><nav epub:type="toc"><ol>'
    '<li><a href="text/one%20a.xhtml#x">Chapter One</a></li>'
    '<li><a href="two.xhtml">Chapter Two</a></li></ol></nav></body></html>'
)
BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "O E/book.opf": PACKAGE,
    "O E/nav.xhtml": NAV,
    "O E/text/one a.xhtml": "<html><body><p>It began to snow.</p></body></html>",
    "O E/two.xhtml": "<html><head><title>x</title></head><body><h2>The thaw</h2><p>It ended.</p></body></html>",
}


def test_a_book_in_reading_order(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "a.epub", packed(BOOK))
    assert isinstance(document, Document)
    assert document.title == "The Long Winter"
    assert document.text == "Chapter One\n\nIt began to snow.\n\nThe thaw\n\nIt ended."
    assert document.heading_at(document.text.index("It began")) == "Chapter One"


def test_a_page_that_is_missing_is_named(tmp_path: Path) -> None:
    problem, document = read(tmp_path, "a.epub", packed({k: v for k, v in BOOK.items() if "two" not in k}))
    assert problem == Problem("could not be read in it: O E/two.xhtml")
    assert isinstance(document, Document)


def test_an_old_book_has_its_chapters_from_the_ncx(tmp_path: Path) -> None:
    package = PACKAGE.replace(
        '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
    )
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>First</text></navLabel>'
        '<content src="text/one%20a.xhtml"/></navPoint></navMap></ncx>'
    )
    (document,) = read(tmp_path, "a.epub", packed(BOOK | {"O E/book.opf": package, "O E/toc.ncx": ncx}))
    assert isinstance(document, Document)
    assert document.text.startswith("First\n\nIt began to snow.")


def test_books_that_cannot_be_read_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    drm = f'<encryption><EncryptedData><EncryptionMethod Algorithm="{aes}"/></EncryptedData></encryption>'
    with pytest.raises(FailedFile, match=r"^encrypted \(DRM\)"):
        read(tmp_path, "a.epub", packed(BOOK | {"META-INF/encryption.xml": drm}))
    fonts = drm.replace(aes, "http://www.idpf.org/2008/embedding")
    assert len(read(tmp_path, "a.epub", packed(BOOK | {"META-INF/encryption.xml": fonts}))) == 1
    for data in (b"PK no", packed({"a": "b"}), packed(BOOK | {"META-INF/container.xml": "<x/>"}), packed(BOOK)[:400]):
        with pytest.raises(FailedFile, match=r"^damaged, or not an? EPUB file$"):
            read(tmp_path, "a.epub", data)
    monkeypatch.setattr(epub, "PAGE_LIMIT", 1000)
    with pytest.raises(FailedFile, match=r"^too large when unpacked$"):
        read(tmp_path, "a.epub", packed(BOOK | {"O E/two.xhtml": "<p>" + "x" * 2000}))


def test_a_book_reads_nothing_from_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    entity = f'<!DOCTYPE p [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    package = entity.replace("p [", "package [") + PACKAGE.replace("The Long Winter", "Book &x;")
    page = f"{entity}<html><body><p>Before &x; after</p></body></html>"
    found = read(tmp_path, "a.epub", packed(BOOK | {"O E/book.opf": package, "O E/two.xhtml": page}))
    assert "secret words" not in repr(found)


# --- archives


def test_members_are_read_as_the_files_they_are(tmp_path: Path) -> None:
    table = packed({"x.txt": "Inside."})
    files = {"a/one.md": "# One\n\nFirst.", "two.csv": "a,b\n1,2\n", "x.bin": "?", "empty.txt": "", "in.zip": table}
    found = read(tmp_path, "a.zip", packed({**files, ".git/x.txt": "no", "../../up.txt": "Up.", "C:\\w\\z.txt": "Z."}))
    assert texts(found) == {
        "a.zip/a/one.md": "One\n\nFirst.",
        "a.zip/two.csv#2": "a: 1; b: 2",
        "a.zip/up.txt": "Up.",
        "a.zip/C:/w/z.txt": "Z.",
    }
    assert reasons(found) == [
        "x.bin: unknown format .bin",
        "empty.txt: no text in it",
        "in.zip: an archive in an archive",
        "1 hidden or ignored files left out",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_members_with_one_name_both_count(tmp_path: Path) -> None:
    found = read(tmp_path, "a.zip", packed({"a.txt": "One.", "./a.txt": "Two."}))
    assert texts(found) == {"a.zip/a.txt": "One.", "a.zip/again/a.txt": "Two."}


def test_archives_that_cannot_be_read_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(packed({"a.txt": "Words."}))
    for place in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[place] |= 1
    with pytest.raises(SkippedFile, match=r"^no documents in it; a.txt: encrypted: remove its password first$"):
        read(tmp_path, "a.zip", bytes(data))
    with pytest.raises(FailedFile, match=r"^damaged, or not a ZIP file$"):
        read(tmp_path, "a.zip", packed({"a.txt": "Words."})[:-30])
    with pytest.raises(SkippedFile, match=r"^no documents in it$"):
        read(tmp_path, "a.zip", packed({}))
    broken = packed({"a.txt": "Words that will be changed.", "b.txt": "Good."}, zipfile.ZIP_STORED)
    found = read(tmp_path, "a.zip", broken.replace(b"changed", b"CHANGED", 1))
    assert texts(found) == {"a.zip/b.txt": "Good."}
    assert reasons(found) == ["a.txt: damaged"]
    monkeypatch.setattr(archive, "MEMBER_LIMIT", 2)
    with pytest.raises(FailedFile, match=r"^more than 2 files in it$"):
        read(tmp_path, "a.zip", packed({"a.txt": "1", "b.txt": "2", "c.txt": "3"}))


def test_a_bomb_in_an_archive_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed({"bomb.txt": b" " * 30_000_000 + b"x", "good.txt": "Good."})
    found = read(tmp_path, "a.zip", data)
    assert texts(found) == {"a.zip/good.txt": "Good."}
    assert reasons(found) == ["bomb.txt: too large when unpacked"]
    # A size that is only said is not believed.
    lying = data.replace((30_000_001).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert list(texts(read(tmp_path, "b.zip", lying))) == ["b.zip/good.txt"]
    monkeypatch.setattr(archive, "UNPACKED_LIMIT", 1000)
    with pytest.raises(FailedFile, match=r"^too large when unpacked$"):
        read(tmp_path, "a.zip", data)


# --- encodings


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a.py"])
def test_a_mark_is_always_right(tmp_path: Path, encoding: str, name: str) -> None:
    found = read(tmp_path, name, "Grüße aus Köln 日本語 🎈,x\nGrüße,y\n".encode(encoding))
    assert reasons(found) == []
    assert "Grüße" in next(iter(texts(found).values()))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Возврат товара возможен в течение 30 дней. ", "cp1251"),
        ("返品は三十日以内に可能です。", "shift_jis"),
        ("退款期限为三十天，自送达之日起计算。", "gb18030"),
        ("café naïve Straße £100 ", "latin-1"),
        ("Η επιστροφή είναι δυνατή εντός 30 ημερών. ", "cp1253"),
    ],
)
def test_other_encodings_are_right_and_said_to_be_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    problem, document = read(tmp_path, "a.txt", (text * 20).encode(encoding))
    assert isinstance(document, Document)
    assert text.strip() in document.text
    assert isinstance(problem, Problem)
    assert problem.reason.startswith("its encoding is a guess: read as ")
