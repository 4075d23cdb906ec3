"""The page in a real browser: an empty start, documents handed over, libraries, history, export."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from .browsing import FOOTNOTED, SOON, Chat, ask, drawn, enter, needs_browser, new_context

needs_browser()
pytestmark = [pytest.mark.browser, pytest.mark.model]

from playwright.sync_api import Browser, Page, TimeoutError, expect  # noqa: E402

LEASE = "The lease of the mill ends on 31 March 2030."
RENT = "The rent of the mill is 900 euros a month."


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    with Chat(tmp_path_factory.mktemp("working"), ["--upload-limit", "1"]) as served:
        yield served


@pytest.fixture
def page(browser: Browser, chat: Chat) -> Iterator[Page]:
    context = new_context(browser, viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened = context.new_page()
    opened.goto(chat.address)
    opened.wait_for_selector("#library")
    yield opened
    context.close()


def open_documents(page: Page) -> None:
    """Open the dialog, and wait until its list is read anew: what it listed before looks the same."""
    page.evaluate("document.querySelector('#documents ul.all')?.replaceChildren()")
    page.click("[data-opens=documents]")
    page.wait_for_selector("#documents ul.all li")


def remove(page: Page, source: str) -> None:
    """Remove a document, which is asked about once more on the same button."""
    twice(page, f"[aria-label='Remove {source}']")
    page.wait_for_selector(f"[aria-label='Remove {source}']", state="detached")


def twice(page: Page, button: str) -> None:
    """Press what is asked about once more on the same button, for some seconds: who is too slow begins again."""
    for _ in range(20):
        page.click(button)
        try:
            page.click(f"{button}.sure", timeout=4_000)
            return
        except TimeoutError:
            continue
    raise AssertionError(f"{button} is not asked about")


def stop(page: Page) -> None:
    """Stop the only question as soon as its passages are found."""
    page.wait_for_selector("#t-1:has-text('Passages found')")
    page.click("#question button.stop-button")
    page.wait_for_selector("#t-1", state="detached")
    page.wait_for_selector("#chat .notice:has-text('Stopped.')")


def press(page: Page, name: str, until: str) -> None:
    """Click a button below the question until it does something: Gradio drops a click while it still ends what the
    same button began.
    """
    for _ in range(20):
        page.click(f"#tools button:has-text('{name}')")
        try:
            page.wait_for_selector(until, timeout=3_000)
            return
        except TimeoutError:
            continue
    raise AssertionError(f"{name} does nothing")


def drop(page: Page, names: list[str], text: str = "") -> None:
    """Files dropped on the page, with folders: real files, in entries as a browser gives them for what is dropped."""
    page.evaluate(
        """([names, text]) => {
        const dropped = new DataTransfer();
        dropped.items.add(new File(["x"], "x"));
        const fileEntry = (path) => ({
            isFile: true, fullPath: path,
            file: (taken, refused) => path.endsWith("unreadable.txt")
                ? refused(new DOMException("gone", "NotFoundError"))
                : taken(new File([path.endsWith("large.txt") ? "x".repeat(2 ** 20 + 1) : text || `Is ${path}.`], "x")),
        });
        const folderEntry = (path, inside) => ({
            isFile: false, fullPath: path,
            createReader: () => {
                const rest = inside.map((one) => one.entry());
                return { readEntries: (taken) => taken(rest.splice(0, 2)) };  // Chromium gives a hundred at a time
            },
        });
        const tree = (paths, at) => {
            const inside = paths.filter((path) => path !== at);
            const groups = Map.groupBy(inside, (path) => path.slice(at.length).split("/")[0]);
            return [...groups].map(([name, within]) => ({
                entry: () => within[0] === at + name
                    ? fileEntry("/" + at + name)
                    : folderEntry("/" + at + name, tree(within, at + name + "/")),
            }));
        };
        const items = tree(names, "").map((one) => ({ kind: "file", webkitGetAsEntry: one.entry }));
        const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
        Object.defineProperty(event, "dataTransfer", {
            value: { types: ["Files"], items, files: dropped.files },
        });
        document.body.dispatchEvent(event);
    }""",
        [names, text],
    )


def test_an_empty_page_takes_a_folder_answers_from_it_and_remembers_after_a_restart(page: Page, chat: Chat) -> None:
    assert page.inner_text(".begin strong") == "No documents yet."
    assert page.inner_text("#top p") == "Every sentence of an answer is quoted from your documents."
    assert not page.is_visible("#question textarea")
    folder = chat.folder / "mill"
    folder.mkdir()
    (folder / "lease.txt").write_text(f"{LEASE} {RENT}")
    (folder / "notes.md").write_text("# Garden\n\nThe garden gate is green.")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    page.set_input_files(".begin input[webkitdirectory]", folder)
    page.wait_for_selector("#documents ul.all li >> nth=1")
    said = [row.split("\n") for row in page.locator("#documents ul.arriving li").all_inner_texts()]
    assert tuple(said[0]) == ("mill/photo.png", "skipped: unknown format .png")  # what needs a look comes first
    assert sorted(map(tuple, said[1:])) == [("mill/lease.txt", "added"), ("mill/notes.md", "added")]
    assert page.inner_text("#documents .drop + .says") == "2 added, 1 skipped"
    page.click("#documents header button")
    page.wait_for_selector(".begin", state="detached")
    page.wait_for_selector("#examples button:has-text('Garden')")
    page.wait_for_selector("#top:has-text('2 documents')")

    ask(page, "When does the lease of the mill end?")
    page.wait_for_function("location.search.startsWith('?conversation=')")
    before = page.inner_text("#chat"), page.inner_text("#sources")
    chat.stop()
    assert "graceful shutdown exceeded" not in chat.log  # an open page is not waited for
    assert "Traceback" not in chat.log
    (chat.folder / ".footnoted" / "library" / "mill" / "lease.txt").write_text(f"{RENT} {LEASE}")
    subprocess.run([FOOTNOTED, "index"], cwd=chat.folder, check=True, capture_output=True)
    chat.start()
    page.reload()
    page.wait_for_selector("#c-1-1 .since")
    drawn(page)
    assert page.inner_text("#chat") == before[0]
    since = "The document has changed since; this sentence stands elsewhere in it now."
    assert page.inner_text("#c-1-1 .since") == since
    assert page.inner_text("#c-1-1 mark") == LEASE
    chat.stop()
    chat.start()
    ask(page, "What is the rent of the mill?", turn=2)  # the page has not been loaded again
    assert page.inner_text("#c-2-1 mark") == RENT
    assert page.locator("#chat .answer").count() == 2
    page.click("[data-opens=conversations]")
    page.wait_for_selector("#conversations li .name")
    (listed,) = page.locator("#conversations li .name").all_inner_texts()
    assert listed == "When does the lease of the mill end?"
    with page.expect_download() as saved:
        page.click("#conversations li >> text=Markdown")
    saved.value.save_as(chat.folder / "conversation.md")
    checked = subprocess.run(
        [FOOTNOTED, "verify-answer", "conversation.md", "--json"], cwd=chat.folder, capture_output=True, text=True
    )
    states = {one["quote"]: one["state"] for one in json.loads(checked.stdout)["quotes"]}
    assert (checked.returncode, states[LEASE]) == (1, "moved")


def test_only_the_documents_that_are_checked_are_asked(page: Page) -> None:
    open_documents(page)
    page.fill("#documents input[type=search]", "garden")
    assert page.locator("#documents ul.all li:not([hidden])").count() == 1
    page.click("text=Ask none shown")
    page.click("#documents header button")
    page.wait_for_selector("#asked-of:has-text('1 of 2')")
    ask(page, "When does the lease of the mill end?")
    assert "Only mill/lease.txt was asked." in page.inner_text("#t-1 .state")
    assert page.locator("#sources .trail:has-text('notes.md')").count() == 0

    page.reload()  # the choice is this tab's
    page.wait_for_selector("#asked-of:has-text('1 of 2')")
    ask(page, "What is the rent of the mill?", turn=2)
    assert "Only mill/lease.txt was asked." in page.inner_text("#t-2 .state")
    drop(page, ["more/one.txt", "more/two.txt"])
    page.wait_for_selector("#documents ul.arriving li.added >> nth=1")
    page.wait_for_selector("#asked-of:has-text('3 of 4')")
    page.click("#documents header button")
    page.click("#tools button:has-text('Ask again')")
    page.wait_for_selector("#t-2 .state:has-text('Only 3 of 4 documents were asked.')")
    open_documents(page)
    for source in ("more/one.txt", "more/two.txt", "mill/notes.md"):
        remove(page, source)
    expect(page.locator("#asked-of")).to_have_text("")  # what is gone is forgotten
    page.reload()
    page.wait_for_selector("#top:has-text('1 document,')")
    expect(page.locator("#asked-of")).to_have_text("")
    drop(page, ["mill/notes.md"], text="# Garden\n\nThe garden gate is green.")
    page.wait_for_selector("#documents ul.arriving li.added")


def test_the_last_question_is_edited_and_a_conversation_deleted(page: Page) -> None:
    ask(page, "What is the rent of the mill?")
    page.wait_for_function("location.search.startsWith('?conversation=')")
    page.click("#tools button:has-text('Edit question')")
    page.wait_for_selector("#sources .hint")
    expect(page.locator("#question textarea")).to_have_value("What is the rent of the mill?")
    expect(page.locator("#chat .asked")).to_have_count(0)
    ask(page, "When does the lease of the mill end?")
    page.click("[data-opens=conversations]")
    first = "#conversations li >> nth=0"
    page.wait_for_selector(first)
    assert page.text_content(f"{first} >> .name") == "When does the lease of the mill end?"
    before = page.locator("#conversations li").count()
    page.click(f"{first} >> text=Delete")
    page.wait_for_selector(f"{first} >> text=For good?")
    assert page.locator("#conversations li").count() == before
    twice(page, f"{first} >> button")
    page.wait_for_function(f"document.querySelectorAll('#conversations li').length === {before - 1}")


def test_a_library_is_made_asked_by_one_page_and_deleted(page: Page, browser: Browser, chat: Chat) -> None:
    page.select_option("#library", label="New library …")
    page.fill("#naming input", "Tea & co")
    page.click("#naming button[type=submit]")
    assert page.inner_text("#naming .wrong").startswith("A name has letters, digits")
    page.fill("#naming input", "Tea und Reis")
    page.click("#naming button[type=submit]")
    page.wait_for_url(f"{chat.address}/libraries/Tea%20und%20Reis/")
    page.wait_for_selector(".begin")
    page.evaluate("""() => {
        const dropped = new DataTransfer();
        dropped.items.add(new File(["Tea is grown in Assam."], "tea.txt"));
        const options = { dataTransfer: dropped, bubbles: true, cancelable: true };
        for (const type of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, options));
    }""")
    page.wait_for_selector("#documents ul.arriving li.added")
    page.click("#documents header button")
    ask(page, "Where is tea grown?")
    page.click("#c-1-1 a.open")
    assert page.wait_for_selector("dialog#reader mark#mark").inner_text() == "Tea is grown in Assam."
    page.keyboard.press("Escape")

    other = browser.new_page()
    other.goto(chat.address)
    other.wait_for_selector("#top:has-text('2 documents')")
    other.close()

    open_documents(page)
    remove(page, "tea.txt")
    assert page.locator("#documents ul.all li").count() == 0
    page.click("#documents header button")
    page.select_option("#library", label="Delete this library …")
    page.fill("#naming input", "Tea und Reis")
    page.click("#naming button[type=submit]")
    page.wait_for_url(f"{chat.address}/")
    assert not (chat.folder / ".footnoted" / "libraries" / "Tea und Reis").exists()


def test_a_folder_is_dropped_with_what_is_wrong_in_it(page: Page, chat: Chat) -> None:
    page.goto(f"{chat.address}/")
    page.wait_for_selector("#library")
    names = ["a.txt", "deep/b.txt", "deep/er/c.txt", "deep/d.txt", "large.txt", "photo.png", "unreadable.txt"]
    drop(page, [f"tree/{name}" for name in names] + ["tree/..\\x.txt", "..", "tree/.git/config"])
    page.wait_for_selector("#documents .drop + .says:has-text('4 added')")
    told = dict(row.split("\n") for row in page.locator("#documents ul.arriving li").all_inner_texts())
    assert told == {
        "tree/a.txt": "added",
        "tree/deep/b.txt": "added",
        "tree/deep/er/c.txt": "added",
        "tree/deep/d.txt": "added",
        "tree/large.txt": "skipped: larger than 1 MB: footnoted index reads it where it is",
        "tree/photo.png": "skipped: unknown format .png",
        "tree/unreadable.txt": "failed: the browser cannot read it",
        "tree/..\\x.txt": "skipped: its name holds characters that no file name should have",
        "..": "skipped: its name leads out of the library",
        "tree/.git/config": "skipped: hidden",
    }
    library = chat.folder / ".footnoted" / "library"
    assert sorted(path.name for path in (library / "tree").rglob("*.txt")) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    drop(page, ["empty/"])
    page.wait_for_selector("#documents .says.wrong:has-text('There is no file in what was dropped')")


def test_what_is_dropped_while_others_are_indexed_is_indexed_too_and_a_reload_loses_nothing(page: Page) -> None:
    drop(page, [f"sixty/{number}.txt" for number in range(60)])
    # The bar is there for a moment; on a busy machine it may be gone before anybody sees it.
    page.wait_for_selector("#documents progress, #documents ul.arriving li.added")
    drop(page, ["late.txt"])
    page.wait_for_selector("#documents ul.arriving li.added:has-text('late.txt')", timeout=2 * SOON * 1000)
    assert page.locator("#documents ul.arriving li.added").count() == 61

    page.route("**/add?name=second.txt", lambda _: None)  # it never gets there
    page.on("dialog", lambda asks: asks.accept())
    drop(page, ["first.txt", "second.txt"])
    page.wait_for_selector("#documents ul.arriving li.sent:has-text('first.txt')")
    page.reload()
    page.wait_for_selector("#top:has-text('documents')")
    page.click("[data-opens=documents]")
    page.wait_for_selector("#documents ul.all [aria-label='Remove first.txt']")


def test_the_folders_of_the_index_are_followed_from_the_page(page: Page, chat: Chat) -> None:
    page.click("[data-opens=documents]")
    page.wait_for_selector("#follow:disabled")
    assert "No folder is indexed where it stands" in page.inner_text("#documents .follow")
    papers = chat.folder / "papers"
    papers.mkdir()
    (papers / "tax.txt").write_text("The tax is 10 euros.")
    subprocess.run([FOOTNOTED, "index", "papers"], cwd=chat.folder, check=True, capture_output=True)
    page.reload()
    page.click("[data-opens=documents]")
    page.wait_for_selector("#follow:enabled")
    assert page.inner_text("#documents .folders") == str(papers)
    before = page.evaluate(
        "async () => (await (await fetch('documents')).json()).documents.reduce((sum, one) => sum + one.documents, 0)"
    )
    page.wait_for_selector(f"#top:has-text('{before} documents')")
    page.check("#follow")
    (papers / "toll.txt").write_text("The toll is 3 euros.")
    page.wait_for_selector("#documents .changes li:has-text('added papers/toll.txt')")
    page.wait_for_selector("[aria-label='Remove toll.txt']")
    page.wait_for_selector(f"#top:has-text('{before + 1} documents')")
    page.click("#documents header button")
    ask(page, "How much is the toll?")
    assert page.inner_text("#c-1-1 mark") == "The toll is 3 euros."
    (papers / "toll.txt").unlink()
    page.wait_for_selector(f"#top:has-text('{before} documents')")  # told with the dialog closed too
    chat.stop()
    chat.arguments = [*chat.arguments, "--watch"]
    chat.start()
    page.reload()
    page.click("[data-opens=documents]")
    page.wait_for_selector("#follow:checked")
    (papers / "tax.txt").write_text("The tax is 12 euros.")
    page.wait_for_selector("#documents .changes li:has-text('updated papers/tax.txt')")
    until = time.monotonic() + SOON
    while f"updated  {papers}/tax.txt" not in chat.log:
        assert time.monotonic() < until, chat.log
        time.sleep(0.1)
    with page.expect_response(lambda got: got.request.method == "POST" and got.url.endswith("/following")):
        page.uncheck("#follow")
    page.reload()
    page.click("[data-opens=documents]")
    page.wait_for_selector("#follow:enabled:not(:checked)")


def test_a_stopped_question_is_asked_again_or_changed(
    browser: Browser, tmp_path: Path, server_that: ModuleType
) -> None:
    (tmp_path / "lease.txt").write_text(f"{LEASE} {RENT}")
    question = "When does the lease of the mill end?"
    with (
        server_that.serving(server_that.hanging) as server,
        Chat(tmp_path, ["lease.txt", "--llm-url", server.url, "--llm-model", "slow"]) as chat,
    ):
        context = new_context(browser)
        page = context.new_page()
        page.goto(chat.address)
        enter(page, question)
        for again in (True, False):  # asked again, it can be stopped again
            stop(page)
            assert page.inner_text("#chat .asked") == question
            if again:
                press(page, "Ask again", until="#t-1")
        press(page, "Edit question", until="#chat:not(:has(.message))")
        expect(page.locator("#question textarea")).to_have_value(question)
        enter(page, question)
        stop(page)
        server.reply = server_that.says("The lease of the mill ends on 31 March 2030 [1].")
        press(page, "Ask again", until="#t-1")
        page.wait_for_selector("#t-1 #c-1-1")
        expect(page.locator("#chat .notice")).to_have_count(0)
        assert page.locator("#chat .asked").count() == 1
        context.close()
