"""PDF through `load`: small files written here by hand, and the papers in ../shared."""

import io
from pathlib import Path

import pypdf
import pytest

from index.documents import Document, Page, Section
from index.errors import FailedFile, SkippedFile
from index.loading import load

SHARED = Path(__file__).parents[2].parent / "shared"

Text = tuple[float, float, float, str]


def make_pdf(pages: list[list[Text]], title: str = "", bold: frozenset[str] = frozenset()) -> bytes:
    """A PDF of pages of 595 by 842 points; a text is (x, y, size, words), set in Helvetica."""
    count = len(pages)
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(count))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    for number, texts in enumerate(pages):
        parts = []
        for x, y, size, words in texts:
            escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            parts.append(f"BT /{'B' if words in bold else 'F'} {size} Tf {x} {y} Td ({escaped}) Tj ET")
        stream = "\n".join(parts)
        objects.append(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R/B 4 0 R>>>>"
            f"/Contents {6 + 2 * number} 0 R>>"
        )
        objects.append(f"<</Length {len(stream.encode('cp1252'))}>>stream\n{stream}\nendstream")
    objects.append(f"<</Title({title})>>")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body.encode("cp1252")))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    start = len(body.encode("cp1252"))
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    body += "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    body += f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info {len(objects)} 0 R>>\nstartxref\n{start}\n%%EOF\n"
    return body.encode("cp1252")


def lines(x: float, top: float, *words: str, size: float = 10, step: float = 12) -> list[Text]:
    return [(x, top - step * number, size, text) for number, text in enumerate(words)]


def loaded(tmp_path: Path, data: bytes, name: str = "paper.pdf") -> Document:
    path = tmp_path / name
    path.write_bytes(data)
    (document,) = load(path, name)
    assert isinstance(document, Document)
    return document


LEFT = (
    "Snow that falls on the plateau is buried and becomes",
    "ice, and whatever fell with it is buried too, so that",
    "a core is a record that was never written by anyone.",
    "Layers of ash are rare so far inland because the pla-",
    "teau lies a long way from any volcano on the map, and",
)
RIGHT = (
    "only three faint ones had been seen in earlier cores.",
    "The layer described here was found by eye, in a state-",
    "of-the-art drill, by a driller who was not looking for",
    "it and who will not say what he was thinking about.",
)
PROSE = (
    "Snow that falls on the plateau is buried and becomes ice, and whatever fell with it is buried too, "
    "so that a core is a record that was never written by anyone. Layers of ash are rare so far inland "
    "because the plateau lies a long way from any volcano on the map, and only three faint ones had been "
    "seen in earlier cores. The layer described here was found by eye, in a state-of-the-art drill, by a "
    "driller who was not looking for it and who will not say what he was thinking about."
)


def test_paragraph_goes_on_in_the_next_column(tmp_path: Path) -> None:
    page = [*lines(50, 700, *LEFT), *lines(310, 700, *RIGHT)]
    document = loaded(tmp_path, make_pdf([page]))
    assert document.text == PROSE
    assert document.pages == (Page(0, 1),)


def test_columns_written_row_by_row_are_read_column_by_column(tmp_path: Path) -> None:
    left, right = lines(50, 700, *LEFT), lines(310, 700, *RIGHT)
    rows = [text for pair in zip(left, [*right, None], strict=True) for text in pair if text]
    assert loaded(tmp_path, make_pdf([rows])).text == PROSE


def test_paragraph_goes_on_on_the_next_page_and_knows_where(tmp_path: Path) -> None:
    document = loaded(tmp_path, make_pdf([lines(50, 700, *LEFT), lines(50, 700, *RIGHT)]))
    assert document.text == PROSE
    start = PROSE.index("only three")
    assert document.pages == (Page(0, 1), Page(start, 2))
    assert (document.page_at(start - 1), document.page_at(start)) == (1, 2)


def test_running_headers_and_page_numbers_are_dropped(tmp_path: Path) -> None:
    pages = [
        [
            (50, 810, 8, f"Annals of Snow, volume {number}"),
            *lines(50, 700, f"What page {word} says is that it is a page.", "And that it has a second line."),
            (290, 40, 9, str(number)),
        ]
        for number, word in enumerate(("one", "two", "three"), 1)
    ]
    document = loaded(tmp_path, make_pdf(pages))
    assert document.text == "\n\n".join(
        f"What page {word} says is that it is a page. And that it has a second line."
        for word in ("one", "two", "three")
    )
    assert [page.number for page in document.pages] == [1, 2, 3]


def test_headings_and_title(tmp_path: Path) -> None:
    page = [
        (50, 780, 20, "The Lamplight Layer"),
        (50, 740, 14, "1 Drilling"),
        *lines(50, 720, *LEFT[:3]),
        (50, 670, 11, "1.1 The drill"),
        *lines(50, 650, *RIGHT[1:]),
    ]
    document = loaded(tmp_path, make_pdf([page], "Microsoft Word - layer.doc", frozenset({"1.1 The drill"})))
    assert document.title == "The Lamplight Layer"
    assert [(one.level, one.heading) for one in document.sections] == [
        (1, "The Lamplight Layer"),
        (2, "1 Drilling"),
        (3, "1.1 The drill"),
    ]
    assert all(document.text[one.start : one.end] == one.heading for one in document.sections)
    assert document.text.startswith("The Lamplight Layer\n\n1 Drilling\n\nSnow that falls")
    assert document.heading_at(len(document.text) - 1) == "The Lamplight Layer > 1 Drilling > 1.1 The drill"


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("On Snow", "On Snow"),
        ("Microsoft Word - snow.doc", "paper"),
        ("untitled", "paper"),
        ("snow_final2.tex", "paper"),
    ],
)
def test_title_field_counts_if_a_person_may_have_written_it(tmp_path: Path, named: str, title: str) -> None:
    text = lines(50, 700, "Snow fell all night and nobody saw it fall.")
    assert loaded(tmp_path, make_pdf([text], named)).title == title


def test_table_rows_are_lines(tmp_path: Path) -> None:
    rows = [("Quantity", "Layer", "Background"), ("Thickness (mm)", "38", "7"), ("Pollen grains", "11", "0")]
    page = [
        (50 + 150 * place, 700 - 12 * number, 10, cell)
        for number, row in enumerate(rows)
        for place, cell in enumerate(row)
    ]
    expected = "Quantity | Layer | Background\nThickness (mm) | 38 | 7\nPollen grains | 11 | 0"
    assert loaded(tmp_path, make_pdf([page])).text == expected


def test_first_lines_and_gaps_begin_paragraphs(tmp_path: Path) -> None:
    page = [
        *lines(50, 700, "The snow fell all night and in the morning the hut was", "gone."),
        *lines(60, 676, "Nobody was surprised, because the hut had been in the"),
        *lines(50, 664, "way of the wind since it was built there."),
        *lines(50, 630, "Then it was found again."),
    ]
    assert loaded(tmp_path, make_pdf([page])).text == (
        "The snow fell all night and in the morning the hut was gone.\n\n"
        "Nobody was surprised, because the hut had been in the way of the wind since it was built there.\n\n"
        "Then it was found again."
    )


def test_a_note_does_not_part_a_paragraph_from_its_rest(tmp_path: Path) -> None:
    first = [*lines(50, 200, *LEFT), *lines(50, 100, "1 The map is that of 1986.", size=7)]
    document = loaded(tmp_path, make_pdf([first, lines(50, 700, *RIGHT)]))
    assert document.text == f"1 The map is that of 1986.\n\n{PROSE}"
    assert document.pages == (Page(0, 1), Page(document.text.index("only three"), 2))


def test_no_text_is_skipped(tmp_path: Path) -> None:
    with pytest.raises(SkippedFile, match=r"^no text in it: a scanned PDF needs text recognition \(OCR\) first$"):
        loaded(tmp_path, make_pdf([[]]))


def test_encrypted_fails(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf([lines(50, 700, "Secret.")])))
    writer.encrypt("word", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    with pytest.raises(FailedFile, match=r"^encrypted PDF: remove its password first$"):
        loaded(tmp_path, stream.getvalue())


@pytest.mark.parametrize("data", [b"not a pdf at all", b"%PDF-1.7\n", make_pdf([lines(50, 700, "Snow.")])[:200]])
def test_damaged_fails(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FailedFile, match=r"^damaged, or not a PDF file$"):
        loaded(tmp_path, data)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "data/papers/pdfs").is_dir(), reason="needs ../shared/data/papers")
@pytest.mark.parametrize(
    ("name", "title", "page", "quote"),
    [
        (
            "bert",
            "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
            1,
            "As a result, the pre-trained BERT model can be fine-tuned with just one additional output layer "
            "to create state-of-the-art models for a wide range of tasks, such as question answering and "
            "language inference, without substantial task-specific architecture modifications.",
        ),
        (
            "bert",
            "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
            6,
            "Without TriviaQA fine-tuning data, we only lose 0.1-0.4 F1, still outperforming all existing "
            "systems by a wide margin.",
        ),
        (
            "llama",
            "LLaMA: Open and Efficient Foundation Language Models",
            2,
            "This process deduplicates the data at the line level, performs language identification with a "
            "fastText linear classifier to remove non-English pages and filters low quality content with an "
            "n-gram language model.",
        ),
    ],
)
def test_papers_read_as_on_paper(name: str, title: str, page: int, quote: str) -> None:
    (document,) = load(SHARED / f"data/papers/pdfs/{name}.pdf", f"{name}.pdf")
    assert isinstance(document, Document)
    assert document.title == title
    assert quote in document.text
    assert document.page_at(document.text.index(quote)) == page
    assert document.sections[0] == Section(0, len(title), 1, title)
    assert "arXiv:1810.04805v2" not in document.text
