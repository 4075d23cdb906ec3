"""The report pages in a real browser: opened from a file, without a network."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eval.comparison import compare
from eval.evaluation import evaluate_questions
from eval.questions import Question
from eval.writing import write

pytestmark = pytest.mark.browser

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
if CHROMIUM is None:
    if os.environ.get("FOOTNOTED_BROWSER") == "required":
        raise RuntimeError("these tests need Chromium, and FOOTNOTED_BROWSER=required")
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)", allow_module_level=True)

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

SCRIPT = "<script>document.title = 'taken'</script>"
TEXT = f"The treaty was signed in 1955 {SCRIPT}. Bonn was the capital."
SIGNED, CAPITAL = f"The treaty was signed in 1955 {SCRIPT}.", "Bonn was the capital."
TABLE = {
    f"When? {SCRIPT}": ([("a.txt", SIGNED)], 0.9),
    "Which capital?": ([("a.txt", CAPITAL)], 0.45),
    "Who signed?": ([("a.txt", SIGNED)], 0.8),
    "On Mars?": ([("a.txt", CAPITAL)], 0.1),
}
QUESTIONS = [
    Question("f1", f"When? {SCRIPT}", ("1955",), (), "fact"),
    Question("f2", "Which capital?", ("Bonn",), (), "fact"),
    Question("f3", "Who signed?", ("Adenauer",), (), "fact"),
    Question("u1", "On Mars?", (), (), "unanswerable"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page from its file; afterwards, that it asked for nothing else and that nothing was complained of."""
    pages: list[tuple[Page, list[str], list[str]]] = []

    def open_report(file: Path, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, java_script_enabled=scripts
        )
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        pages.append((page, asked, said))
        return page

    yield open_report
    for page, asked, said in pages:
        assert asked == [page.url]
        assert said == []
        page.context.close()


@pytest.fixture
def folder(make_answerer: Callable[..., object], tmp_path: Path) -> Path:
    system = make_answerer({"a.txt": TEXT}, TABLE)
    return write(evaluate_questions(QUESTIONS, system, settings={"questions": "four.jsonl"}), tmp_path / "a")


def listed(page: Page) -> list[str]:
    """The ids of the questions that are seen, from the top."""
    return [note.split(",")[0] for note in page.locator("#queries tbody:visible .note").all_inner_texts()]


def test_a_document_and_a_question_cannot_run_a_script(open_report: Callable[..., Page], folder: Path) -> None:
    page = open_report(folder / "report.html")
    assert page.title() == "four.jsonl"
    assert SCRIPT in page.inner_text("#queries tbody:has-text('f1,') .c0")


def test_the_policy_stops_a_script_that_slipped_through(browser: Browser, folder: Path) -> None:
    file = folder / "report.html"
    file.write_text(file.read_text().replace("<main>", f"<main>{SCRIPT}", 1))
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.title() == "four.jsonl"
    assert page.get_attribute("html", "class") == "js"  # ours has run
    assert len(said) == 1
    assert "Content Security Policy" in said[0]
    page.close()


def test_sorting(open_report: Callable[..., Page], folder: Path) -> None:
    page = open_report(folder / "report.html")
    assert listed(page) == ["f3", "f1", "f2", "u1"]  # worst first
    page.click("thead button:text-is('confidence')")
    assert listed(page) == ["u1", "f2", "f3", "f1"]
    assert page.get_attribute("thead th.c2", "aria-sort") == "ascending"
    page.click("thead button:text-is('confidence')")
    assert listed(page) == ["f1", "f3", "f2", "u1"]
    page.click("thead button:text-is('F1')")
    assert listed(page)[0] == "f3"
    assert listed(page)[-1] == "u1"  # has none
    page.click("thead button:text-is('question')")
    assert listed(page) == ["u1", "f1", "f2", "f3"]
    assert page.locator("thead [aria-sort]").count() == 1


def test_filtering(open_report: Callable[..., Page], folder: Path) -> None:
    page = open_report(folder / "report.html")
    page.fill("#filter", "fact RIGHT")
    assert listed(page) == ["f1", "f2"]
    assert page.inner_text("#shown") == "2 of 4"
    page.fill("#filter", "nothing of the kind")
    assert listed(page) == []
    page.fill("#filter", "")
    assert len(listed(page)) == 4


def test_details_open_by_click_and_by_key(open_report: Callable[..., Page], folder: Path) -> None:
    page = open_report(folder / "report.html")
    assert page.locator(".details:visible").count() == 0
    page.click("tbody button:has-text('When?')")
    shown = page.locator(".details:visible")
    assert shown.locator("mark").all_inner_texts() == ["1955"]
    assert "A quote holds an accepted answer." in shown.inner_text()
    page.keyboard.press("Enter")
    assert page.locator(".details:visible").count() == 0
    page.click("tbody button:has-text('Mars')")
    assert "Rightly refused: confidence 0.10, threshold 0.35." in page.locator(".details:visible").inner_text()


def test_without_scripts_everything_is_shown(open_report: Callable[..., Page], folder: Path) -> None:
    page = open_report(folder / "report.html", scripts=False)
    assert page.locator(".details:visible").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_the_colour_scheme(
    open_report: Callable[..., Page], folder: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    rows = (folder / "per_query.jsonl").read_text().replace("1955", "1956")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "per_query.jsonl").write_text(rows.replace('"right": 1.0', '"right": 0.5'))
    out = write(compare(folder, tmp_path / "b"), tmp_path / "c")
    for file in (folder / "report.html", out / "report.html"):
        page = open_report(file, width, scheme)
        for button in page.locator("tbody button").all():
            button.click()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        red = page.evaluate("getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0]
        assert (int(red) > 200) is (scheme == "light")


def test_the_figures_are_those_of_the_json(open_report: Callable[..., Page], folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    page = open_report(folder / "report.html")
    tiles = dict(
        zip(
            page.locator(".figures dt").all_inner_texts(),
            page.locator(".figures dd:nth-of-type(1)").all_inner_texts(),
            strict=True,
        )
    )
    for name in ("right", "contains", "F1", "citation precision"):
        assert tiles[name] == f"{report['metrics'][name]:.3f}"
    assert tiles["refusal AUROC"] == f"{report['confidence_auroc']:.3f}"
    assert tiles["risk as run"] == f"{report['risk_coverage']['risk']:.3f}"
