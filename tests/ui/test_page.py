"""The page in a real browser: what a person clicks and sees."""

import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .browsing import FOOTNOTED, HERE, Chat, ask, drawn, enter, in_view, needs_browser, new_context, over, settled

needs_browser()
pytestmark = [pytest.mark.browser, pytest.mark.model]

SHOTS = Path(os.environ.get("FOOTNOTED_SCREENSHOTS") or HERE / "screenshots")
FALL = "Who fell on the stairs to Tunnel B?"
FELL = "Petra Sólheim fell on the stairs to Tunnel B and broke her left wrist."

from playwright.sync_api import Browser, Page, expect  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the chat runs."""
    return tmp_path_factory.mktemp("chat")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The chat page over the examples, as a user starts it, from an empty folder."""
    with Chat(folder, [HERE / "examples"]) as chat:
        yield chat.address


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page; what it looked like is kept when a test fails."""
    context = new_context(browser, viewport=getattr(request, "param", {"width": 1366, "height": 768}))
    opened = context.new_page()
    opened.hosts = set()
    opened.on("request", lambda sent: opened.hosts.add(sent.url.split("/")[2] if "://" in sent.url else ""))
    opened.goto(address)
    opened.wait_for_selector("#question textarea")
    failed = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed:
        SHOTS.mkdir(exist_ok=True)
        opened.screenshot(path=SHOTS / f"{request.node.name}.png", full_page=True)
    context.close()


def test_an_answer_has_footnotes_and_a_click_marks_its_card(page: Page) -> None:
    ask(page, FALL)
    page.wait_for_selector("#chat .answer a.cite")
    quote = page.inner_text("#c-1-1 mark")
    assert quote == FELL
    assert quote in page.inner_text("#chat .answer")
    page.click("#chat a.cite >> nth=0")
    assert page.get_attribute("#c-1-1", "class") == "card chosen"
    assert page.evaluate("document.activeElement.id") == "c-1-1"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "cite"
    assert "02-incident-report-9-july.pdf" in page.inner_text("#c-1-1 .trail")
    assert "page 2" in page.inner_text("#c-1-1 .trail")


def close(page: Page) -> None:
    """Close the document: the focus comes back to what opened it, a little after it is gone."""
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#reader", state="hidden")
    page.wait_for_function("document.activeElement.className === 'open'")


def test_open_in_document_shows_the_sentence_marked_and_in_view(page: Page) -> None:
    ask(page, FALL)
    page.click("#c-1-1 a.open")
    mark = page.wait_for_selector("dialog#reader mark#mark")
    assert mark.inner_text() == FELL
    box, height = mark.bounding_box(), page.viewport_size["height"]
    assert 0 < box["y"] < height - box["height"]
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#reader", state="hidden")


def test_a_footnote_far_up_the_conversation_leaves_the_question_box_where_it_is(page: Page) -> None:
    for turn, question in enumerate([FALL, "When did the generator fail?", "What may my main bag weigh at most?"], 1):
        ask(page, question, turn)
        page.wait_for_selector(f"#c-{turn}-1")
    assert page.evaluate("document.querySelector('#sources').scrollTop") == 0
    page.click("#chat a.cite >> nth=0")
    in_view(page, "#c-1-1")
    assert page.evaluate("getComputedStyle(document.querySelector('#sources')).overflowY") == "auto"
    card, box = page.locator("#c-1-1").bounding_box(), page.locator("#question").bounding_box()
    assert 0 <= card["y"] < 768
    assert 0 <= box["y"] < 768


def test_questions_in_quick_succession_each_get_an_answer(page: Page) -> None:
    for question in (FALL, "When did the generator fail?"):
        page.fill("#question textarea", question)
        page.keyboard.press("Enter")
    page.wait_for_selector("#t-1 #c-1-1")
    settled(page)
    asked, answers = page.locator("#chat .asked").count(), page.locator("#chat .answer").count()
    assert asked == answers == page.locator("#sources .turn").count() > 0


def test_asking_again_gives_the_last_answer_anew(page: Page) -> None:
    ask(page, FALL)
    page.wait_for_selector("#chat .answer a.cite")
    with over(page):
        page.click("text=Ask again")
    assert page.locator("#chat .answer").count() == 1
    assert page.locator("#chat .asked").count() == 1
    assert page.locator("#sources .turn").count() == 1


BROKE = "What did she break?"
ADDED = f"{BROKE} · Sólheim Tunnel fell stairs B"
BROKEN = "Petra Sólheim had fallen on the stairs to Tunnel B and broken her left wrist."
BACK = "She was back under a vehicle in seven weeks, against my advice."
RECOVERED = "Did she recover?"  # alone it is answered by nothing
LINE = "#searched-for textarea"


def test_a_follow_up_shows_what_it_was_searched_for_and_the_person_can_change_it(page: Page) -> None:
    ask(page, FALL)
    assert page.locator(LINE).count() == 0
    ask(page, BROKE, turn=2)
    page.wait_for_selector("#c-2-1")
    page.wait_for_selector(LINE)
    assert page.input_value(LINE) == ADDED
    assert page.get_by_label("Searched for").count() == 1
    assert page.inner_text("#c-2-1 mark") == BROKEN
    page.fill(LINE, "Who set the broken wrist by the light of two head torches?")
    with over(page):
        page.press(LINE, "Enter")
    page.wait_for_selector("#t-2 h3:has-text('head torches')")
    page.wait_for_selector("#t-2 mark:has-text('Dr Amara Quist set a broken wrist')")
    page.wait_for_selector(LINE, state="detached")
    assert [page.locator(kind).count() for kind in ("#chat .asked", "#chat .answer", "#sources .turn")] == [2, 2, 2]


def test_the_question_alone_can_be_searched_and_stays_alone_when_asked_again(page: Page) -> None:
    ask(page, FALL)
    ask(page, RECOVERED, turn=2)
    page.wait_for_selector(LINE)
    with over(page):
        page.click("text=Search for the question alone")
    page.wait_for_selector("#chat .refusal")
    page.wait_for_selector(LINE, state="detached")
    with over(page):
        page.click("text=Ask again")
    assert page.locator("#chat .refusal").count() == 1
    assert page.locator(LINE).count() == 0
    assert page.locator("#sources .turn").count() == 2


def test_an_emptied_search_changes_nothing_and_a_new_conversation_forgets(page: Page) -> None:
    ask(page, FALL)
    ask(page, RECOVERED, turn=2)
    page.wait_for_selector(LINE)
    page.fill(LINE, "  ")
    with over(page):
        page.press(LINE, "Enter")
    assert page.locator("#c-2-1").count() == 1
    page.click("text=New conversation")
    page.wait_for_selector("#sources .hint")
    page.wait_for_selector(LINE, state="detached")
    ask(page, RECOVERED)
    page.wait_for_selector("#chat .refusal")
    assert page.locator(LINE).count() == 0


def test_what_was_refused_as_no_question_is_nothing_to_lean_on(page: Page) -> None:
    ask(page, FALL)
    ask(page, "x" * 4001, turn=2)
    page.wait_for_selector("#chat .notice")
    with over(page):
        page.click("text=Ask again")
    assert "4,001 characters" in page.inner_text("#chat .notice")
    assert page.locator("#chat .answer").count() == 1
    ask(page, BROKE, turn=3)
    page.wait_for_selector(LINE)
    assert page.input_value(LINE) == ADDED


def test_a_conversation_of_fifty_questions_is_full_and_a_new_one_begins(page: Page, folder: Path) -> None:
    ask(page, FALL)
    page.wait_for_function("location.search.startsWith('?conversation=')")
    name = page.get_attribute("#conversation", "data-name")
    history = folder / ".footnoted" / "history" / f"{name}.jsonl"
    turn = json.loads(history.read_text())
    with history.open("a") as file:
        file.writelines(json.dumps(turn | {"id": f"{number:08}"}) + "\n" for number in range(49))
    page.reload()
    page.wait_for_selector("#t-50")
    page.fill("#question textarea", BROKE)
    with over(page):
        page.press("#question textarea", "Enter")
    page.wait_for_selector(".toast-body:has-text('This conversation has 50 questions, and stays in the history')")
    assert page.input_value("#question textarea") == BROKE
    assert page.locator("#sources .turn").count() == 50
    page.click("text=New conversation")
    page.wait_for_selector("#sources .hint")
    ask(page, FALL)
    assert page.inner_text("#c-1-1 mark") == FELL


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_the_search_line_fits_above_the_question_box(page: Page) -> None:
    ask(page, FALL)
    ask(page, BROKE, turn=2)
    line = page.wait_for_selector(LINE).bounding_box()
    box = page.locator("#question").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert line["x"] >= 0
    assert line["x"] + line["width"] <= 390
    assert line["y"] + line["height"] <= box["y"]


def test_two_sources_that_disagree_are_both_shown(page: Page) -> None:
    ask(page, "How long was the station without power?")
    text = page.inner_text("#chat .answer")
    assert text.startswith("The sources disagree.")
    assert "47 minutes" in text
    assert "71 minutes" in text
    assert page.inner_text("#c-1-1 .title") != page.inner_text("#c-1-2 .title")


def test_rows_of_a_table_are_quoted_on_lines_of_their_own(page: Page) -> None:
    ask(page, "How much does a main bag weigh at most?")
    assert page.inner_text("#chat .answer").splitlines() == [
        "Main bag | 35 kg | Travels in the hold1",
        "Comfort bag | 5 kg | Anything you love: nobody will ask2",
    ]
    assert page.inner_text("#chat .answer b.short >> nth=0") == "35 kg"
    assert page.inner_text("#c-1-1 mark") == "Main bag | 35 kg | Travels in the hold"


@pytest.mark.parametrize(
    "page", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}], ids=["laptop", "phone"], indirect=True
)
def test_answers_are_as_dark_as_the_ink_and_nothing_lies_beyond_the_edge(page: Page) -> None:
    ask(page, "When did the generator fail?")
    opacity = "[...document.querySelectorAll('#chat .prose')].map((one) => getComputedStyle(one).opacity)"
    assert page.evaluate(opacity) == ["1", "1"]
    foot = [box["y"] + box["height"] / 2 for one in ("a.open", "button.source")
            if (box := page.locator(f"#c-1-1 {one}").bounding_box())]  # fmt: skip
    assert abs(foot[0] - foot[1]) < 8  # on one line
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("page", [{"width": 1280, "height": 800}], indirect=True)
def test_on_a_laptop_the_question_box_is_in_view_whatever_stands_above_it(page: Page) -> None:
    assert not page.is_visible("text=New conversation")  # there is none yet
    ask(page, FALL)
    ask(page, BROKE, turn=2)
    page.wait_for_selector(LINE)
    page.fill("#question textarea", "one line and\nanother line\n" * 6)
    page.wait_for_function("document.querySelector('#question').getBoundingClientRect().height > 100")
    drawn(page)
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    box, chat = page.locator("#question").bounding_box(), page.locator("#chat").bounding_box()
    assert chat["y"] + chat["height"] < box["y"]
    assert box["height"] > 100
    assert page.is_visible("text=New conversation")
    assert box["y"] + box["height"] < 760


def test_what_the_documents_do_not_say_is_refused_with_the_nearest_passages(page: Page) -> None:
    ask(page, "What is the capital of Brazil?")
    assert page.inner_text("#chat .refusal").startswith("The documents don't say.")
    assert page.locator("#chat a.cite").count() == 0
    assert page.locator("#t-1 > .card.near").count() == 3


def test_an_example_asks_its_question_and_footnotes_of_earlier_answers_stay(page: Page) -> None:
    with over(page):
        page.click("#examples button >> nth=1")
    page.wait_for_selector("#t-1 #c-1-1")
    ask(page, "What may my main bag weigh at most?", turn=2)
    page.wait_for_selector("#c-2-1")
    page.click("#chat a.cite >> nth=0")
    assert page.get_attribute("#c-1-1", "class") == "card chosen"


def test_an_empty_question_asks_nothing(page: Page) -> None:
    with over(page):
        enter(page, "   ")
    assert page.locator("#chat .message").count() == 0


def test_a_new_conversation_empties_both_sides(page: Page) -> None:
    ask(page, FALL)
    page.click("text=New conversation")
    page.wait_for_selector("#sources .hint")
    expect(page.locator("#chat .message")).to_have_count(0)


def test_markup_in_a_question_stays_text_and_nothing_leaves_the_machine(page: Page, address: str) -> None:
    hostile = "<img src=https://example.org/x.png onerror=alert(1)> ![x](https://example.org/y.png) *generator* failure"
    ask(page, hostile)
    page.wait_for_timeout(500)
    assert page.inner_text("#t-1 h3") == hostile
    assert page.locator("#sources img").count() == 0
    assert page.hosts <= {address.split("/")[2], ""}


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_a_word_without_end_breaks_no_line(page: Page) -> None:
    ask(page, "z" * 2000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#t-1 h3").bounding_box()["height"] < 80


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_nothing_nothing_is_wider_than_the_screen(page: Page) -> None:
    ask(page, "How long was the station without power?")
    page.click("#chat a.cite >> nth=1")
    in_view(page, "#c-1-2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("#c-1-2 a.back")
    in_view(page, "#chat a.cite[href='#c-1-2']")


PEEK = "#peek:not([hidden])"


def test_a_footnote_pointed_at_shows_its_quote_until_it_is_left_or_dismissed(page: Page) -> None:
    ask(page, FALL)
    page.wait_for_selector("#chat a.cite[aria-label='Footnote 1']")
    assert page.get_attribute("#chat a.cite", "title") is None
    page.hover("#chat a.cite")
    assert page.wait_for_selector(f"{PEEK} blockquote").inner_text() == FELL
    assert page.inner_text("#peek .short") == "Petra Sólheim"
    assert "page 2" in page.inner_text("#peek .trail")
    page.hover("#peek blockquote")
    page.wait_for_timeout(500)
    assert page.is_visible(PEEK)
    page.keyboard.press("Escape")
    assert not page.is_visible(PEEK)
    page.hover("#chat a.cite")
    page.wait_for_selector(PEEK)
    page.mouse.move(5, 5)
    page.wait_for_selector(PEEK, state="detached")


def test_keys_step_through_the_footnotes_open_the_document_and_come_back(page: Page) -> None:
    ask(page, "How long was the station without power?")
    page.wait_for_selector("#chat a.cite[aria-label='Footnote 2']")
    page.focus("#question textarea")
    page.keyboard.type("[x]")
    assert page.input_value("#question textarea") == "[x]"
    page.keyboard.press("Escape")
    for key, label in [("]", "Footnote 1"), ("]", "Footnote 2"), ("]", "Footnote 1"), ("[", "Footnote 2")]:
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.ariaLabel") == label
    described = page.evaluate(
        "document.activeElement.getAttribute('aria-describedby').split(' ')"
        ".map((id) => document.getElementById(id).textContent)"
    )
    assert described == [page.text_content("#c-1-2 .trail"), page.text_content("#c-1-2 mark")]
    assert page.inner_text(f"{PEEK} blockquote") == page.inner_text("#c-1-2 mark")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "c-1-2"
    page.keyboard.press("o")
    page.wait_for_selector("dialog#reader mark#mark")
    close(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.ariaLabel") == "Footnote 2"


def test_the_keys_are_listed_and_can_be_switched_off(page: Page) -> None:
    ask(page, FALL)
    page.wait_for_selector("#chat a.cite[aria-label]")
    page.focus("#chat a.cite")
    page.keyboard.press("?")
    assert "the footnote before and after" in page.inner_text("dialog#keys[open]")
    page.uncheck("dialog#keys input")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#keys", state="hidden")
    page.evaluate("document.activeElement.blur()")
    for key in ("]", "?"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.tagName") == "BODY"
        assert page.locator("dialog[open]").count() == 0
    page.hover("#chat a.cite")
    assert page.wait_for_selector(f"{PEEK} p:last-child").inner_text() == "Enter or a click opens the source"
    page.get_by_role("button", name="Keys").press("Enter")
    assert not page.is_checked("dialog#keys[open] input")
    page.check("dialog#keys input")
    page.click("dialog#keys button")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("]")
    assert page.evaluate("document.activeElement.ariaLabel") == "Footnote 1"


def test_how_an_answer_was_found_is_shown_and_where_a_phrase_was_lost(page: Page) -> None:
    ask(page, FALL)
    page.click("#t-1 details.found > summary")
    facts = page.inner_text("#t-1 .found dl")
    assert FALL in facts
    assert "generation 1 of the index, 12 documents" in facts
    assert "at least the threshold" in facts
    cells = page.locator("#t-1 .found tbody tr").first.locator("td").all_inner_texts()
    lexical, dense, fused, reader, score = map(float, cells)
    assert lexical > 1 > dense > 0
    assert score == pytest.approx(0.4 * fused + 0.6 * reader, abs=0.011)
    for phrase, told in [
        ("broke her left wrist", "Nothing was lost"),
        ("<img src=x onerror=alert(1)>", "in the text of none of the 12 documents"),
        ("  ", "the phrase is empty"),
    ]:
        page.fill("#t-1 .why input", phrase)
        page.click("#t-1 .why button")
        page.wait_for_selector(f"#t-1 .why .lost:has-text('{told}')")
    assert page.locator("#t-1 .why .lost img").count() == 0


def test_quotes_of_one_document_are_all_marked_and_stepped_through(page: Page) -> None:
    ask(page, "How much does a main bag weigh at most?")
    page.click("#c-1-1 a.open")
    assert page.wait_for_selector("dialog#reader mark#mark").inner_text().startswith("Main bag | 35 kg")
    assert page.inner_text("dialog#reader mark.other").startswith("Comfort bag | 5 kg")
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.className") == "other"
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.id") == "mark"


# What is Gradio's own and can be reached by neither a theme nor a setting, by rule.
GRADIOS: set[str] = set()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.mark.parametrize(
    "page", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}], ids=["laptop", "phone"], indirect=True
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(page: Page, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    def broken() -> set[tuple[str, str]]:
        drawn(page)
        page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
        found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
        return {(one["id"], node["html"][:120]) for one in found for node in one["nodes"] if one["id"] not in GRADIOS}

    page.emulate_media(color_scheme=scheme)
    page.reload()
    page.wait_for_selector("#question textarea")
    states = {"empty": broken()}
    ask(page, FALL)
    page.wait_for_selector("#chat a.cite[aria-label]")
    page.click("#t-1 details.found > summary")
    page.focus("#chat a.cite")
    states["answer"] = broken()
    page.click("#c-1-1 a.open")
    page.wait_for_selector("dialog#reader mark#mark")
    states["document"] = broken()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#reader", state="hidden")
    for name in ("documents", "conversations", "keys"):
        page.click(f"[data-opens={name}]")
        page.wait_for_selector(f"dialog#{name}[open] {'dl' if name == 'keys' else 'li'}")
        states[name] = broken()
        page.keyboard.press("Escape")
        page.wait_for_selector(f"dialog#{name}", state="hidden")
    ask(page, "What is the capital of Brazil?", turn=2)
    states["refusal"] = broken()
    page.goto(f"{page.url.split('?')[0]}document?source=02-incident-report-9-july.pdf&start=0&end=20")
    page.wait_for_selector("mark#mark")
    states["document in a tab"] = broken()
    assert states == {state: set() for state in states}


def test_an_answer_is_told_once_and_whole(page: Page) -> None:
    page.wait_for_selector("#announced", state="attached")
    page.evaluate("""() => {
        window.told = [];
        const place = document.getElementById("announced");
        const tell = () => place.textContent && told.push(place.textContent);
        new MutationObserver(tell).observe(place, { childList: true });
    }""")
    assert page.get_attribute("#announced", "role") == "status"
    told = []
    for turn, (question, says) in enumerate(
        [
            (FALL, f"Answer with 1 footnote: {FELL}"),
            ("How long was the station without power?", "Answer with 2 footnotes: The sources disagree. "),
            ("What is the capital of Brazil?", "Not answered: The documents don't say. "),
            ("x" * 4001, "The question has 4,001 characters"),
        ],
        1,
    ):
        ask(page, question, turn)
        page.wait_for_function(f"told.length === {turn}")
        told = page.evaluate("told")
        assert told[-1].startswith(says)
    page.wait_for_timeout(500)
    assert page.evaluate("told") == told
    with over(page):
        page.click("text=Ask again")
    assert page.get_attribute("#chat [role=log]", "aria-live") == "off"
    assert page.locator("#sources").locator("xpath=ancestor-or-self::*[@aria-live or @role='log']").count() == 0


def test_an_answer_that_grows_is_told_when_it_is_whole(page: Page) -> None:
    ask(page, FALL)
    page.wait_for_function("document.getElementById('announced').textContent")
    told = page.evaluate("""async () => {
        const told = [], place = document.getElementById("announced");
        new MutationObserver(() => told.push(place.textContent)).observe(place, { childList: true });
        const wait = () => new Promise((resolve) => setTimeout(resolve, 400));
        const turn = document.getElementById("t-1"), answer = document.querySelector("#chat .answer");
        turn.setAttribute("aria-busy", "true");
        for (const words of ["It", "It was", "It was cold."]) {
            answer.textContent = words;
            await wait();
        }
        turn.removeAttribute("aria-busy");
        turn.append("");
        await wait();
        return told;
    }""")
    assert told == ["", "Answer without a footnote: It was cold."]


def test_a_long_document_opens_near_its_mark_and_whole_when_asked(page: Page, address: str) -> None:
    entry = "The annexe was swept and the harmonium dusted, as on every other day of the week."
    text = f"{entry}\n\n" * 500 + "The purple harmonium was sold to Ingrid Vasquez.\n\n" + f"{entry}\n\n" * 500
    status = page.evaluate(
        """async (text) => {
            const headers = { "Content-Type": "application/json" };
            await fetch("libraries", { method: "POST", headers, body: JSON.stringify({ name: "Annexe" }) });
            const added = await fetch("libraries/Annexe/add?name=log.txt", { method: "PUT", body: text });
            await fetch("libraries/Annexe/indexing", { method: "POST", headers, body: "{}" });
            while ((await (await fetch("libraries/Annexe/indexing")).json()).running)
                await new Promise((resolve) => setTimeout(resolve, 200));
            return added.status;
        }""",
        text,
    )
    assert status == 204
    page.goto(f"{address}/libraries/Annexe/")
    page.wait_for_selector("#question textarea")
    ask(page, "Who was the purple harmonium sold to?")
    page.click("#c-1-1 a.open")
    mark = page.wait_for_selector("dialog#reader mark#mark")
    assert mark.inner_text() == "The purple harmonium was sold to Ingrid Vasquez."
    assert page.locator("dialog#reader .gap").count() == 2
    some = page.locator("dialog#reader main p").count()
    page.click("dialog#reader a.whole >> nth=1")
    page.wait_for_selector("dialog#reader .gap", state="detached")
    assert page.locator("dialog#reader main p").count() == 1002 > some  # its name is one
    box, height = page.locator("dialog#reader mark#mark").bounding_box(), page.viewport_size["height"]
    assert 0 < box["y"] < height - box["height"]
    close(page)


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_the_scores_the_quote_and_the_keys_are_no_wider_than_the_screen(page: Page) -> None:
    ask(page, FALL)
    page.click("#t-1 details.found > summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('.scores').scrollWidth") <= 390
    page.hover("#chat a.cite")
    peek = page.wait_for_selector(PEEK).bounding_box()
    assert peek["x"] >= 0
    assert peek["x"] + peek["width"] <= 390
    page.click("text=Keys")
    keys = page.wait_for_selector("dialog#keys[open]").bounding_box()
    assert keys["x"] >= 0
    assert keys["x"] + keys["width"] <= 390


def said(folder: Path) -> list[dict]:
    file = folder / ".footnoted" / "feedback.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def press(page: Page, selector: str, note: str = "Noted", key: str = "") -> None:
    """Click, or press a key on it, and wait for what the row says of it: it may say so of an earlier one already."""
    row = page.locator(selector).locator("xpath=ancestor::*[contains(@class, 'judge')]")
    with page.expect_response("**/feedback"):
        page.press(selector, key) if key else page.click(selector)
    expect(row).not_to_have_class(re.compile(r"\bsending\b"))
    row.locator(f".noted:has-text('{note}')").wait_for()


def pressed(page: Page, selector: str) -> str | None:
    return page.get_attribute(selector, "aria-pressed")


def test_a_thumb_is_kept_scored_shown_again_and_taken_back(page: Page, folder: Path) -> None:
    ask(page, FALL)
    page.wait_for_selector("#j-1 .up[aria-pressed]")
    assert pressed(page, "#j-1 .up") == "false"
    press(page, "#j-1 .up")
    assert page.inner_text("#j-1 .noted") == "Noted: kept in the index folder, sent nowhere."
    last = said(folder)[-1]
    assert (last["question"], last["good"], [one["quote"] for one in last["cited"]]) == (FALL, True, [FELL])
    done = subprocess.run([FOOTNOTED, "eval", "--from-feedback", "--json"], cwd=folder, capture_output=True, text=True)
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["token recall@5"] == metrics["right source cited"] == metrics["refused as judged"] == 1.0

    ask(page, "What may my main bag weigh at most?", turn=2)  # the page is drawn anew
    page.wait_for_selector("#j-2 .up[aria-pressed=false]")
    assert pressed(page, "#j-1 .up") == "true"
    page.reload()
    page.wait_for_selector("#t-2")  # the conversation is there again
    ask(page, FALL, turn=3)
    page.wait_for_selector("#j-1 .up[aria-pressed=true]")
    press(page, "#j-1 .up", "Taken back.", key="Space")
    assert pressed(page, "#j-1 .up") == "false"
    assert said(folder)[-1]["good"] is None


def test_a_bad_answer_has_a_reason_and_its_source_is_called_wrong(page: Page, folder: Path) -> None:
    ask(page, "How long was the station without power?")
    page.wait_for_selector("#j-1 .down[aria-pressed=false]")
    assert not page.is_visible("#j-1 .reason >> nth=0")
    press(page, "#j-1 .down")
    assert (said(folder)[-1]["good"], said(folder)[-1]["reason"]) == (False, "")
    press(page, "#j-1 .reason:has-text('incomplete')")
    assert (said(folder)[-1]["good"], said(folder)[-1]["reason"]) == (False, "incomplete")
    assert [pressed(page, f"#j-1 button >> nth={number}") for number in range(6)] == [
        "false", "true", "false", "true", "false", "false",
    ]  # fmt: skip
    press(page, "#c-1-2 button.source")
    last = said(folder)[-1]
    assert (last["relevant"], last["reason"]) == (False, "wrong source")
    assert last["quote"] == page.inner_text("#c-1-2 mark")
    done = subprocess.run([FOOTNOTED, "eval", "--from-feedback"], cwd=folder, capture_output=True, text=True)
    assert "wrong sources that are still cited: 1 of 1" in done.stdout
    press(page, "#c-1-2 button.source", "Taken back.")
    press(page, "#j-1 .down", "Taken back.")
    assert not page.is_visible("#j-1 .reason >> nth=0")


def test_who_is_one_too_many_is_told_so_and_keeps_the_question(page: Page) -> None:
    ask(page, BROKE)
    said = "Busy: 89 questions are before this one. Ask again in a moment."
    page.route("**/queue/join*", lambda route: route.fulfill(status=429, json={"detail": said}))
    page.fill("#question textarea", FALL)
    page.press("#question textarea", "Enter")
    page.wait_for_selector(f".toast-body:has-text('{said}')")
    assert page.input_value("#question textarea") == FALL
    assert page.is_visible("#chat .answer")
    assert not page.locator("[data-testid=status-tracker]:visible").count()
    page.unroute("**/queue/join*")
    ask(page, FALL, turn=2)
    assert page.inner_text("#c-2-1 mark") == FELL


def test_a_refusal_is_judged_by_the_passage_that_has_the_answer(page: Page, folder: Path) -> None:
    ask(page, "What is the capital of Brazil?")
    page.wait_for_selector("#j-1 .up[aria-pressed=false]")
    assert page.inner_text("#j-1 .down") == "The documents do say it"
    press(page, "#t-1 > .card.near >> nth=1 >> button.here")
    last = said(folder)[-1]
    assert (last["relevant"], last["reason"]) == (True, "the answer is here")
    assert last["quote"].split() == page.inner_text("#t-1 > .card.near >> nth=1 >> blockquote").split()
    press(page, "#t-1 > .card.near >> nth=1 >> button.here", "Taken back.")


def test_a_follow_up_is_judged_for_what_was_searched_which_stands_alone(page: Page, folder: Path) -> None:
    searched = ADDED.replace(BROKE, RECOVERED)
    ask(page, FALL)
    ask(page, RECOVERED, turn=2)
    page.wait_for_selector("#j-2 .up[aria-pressed=false]")
    press(page, "#j-2 .up")
    last = said(folder)[-1]
    assert (last["question"], last["good"], [one["quote"] for one in last["cited"]]) == (searched, True, [BROKEN, BACK])
    done = subprocess.run([FOOTNOTED, "eval", "--from-feedback", "--json"], cwd=folder, capture_output=True, text=True)
    assert json.loads(done.stdout)["metrics"]["refused as judged"] == 1.0
    with over(page):
        page.click("text=Search for the question alone")
    page.wait_for_selector("#chat .refusal")
    page.wait_for_selector("#j-2 .up[aria-pressed=false]")  # another search, another judgement
    assert page.inner_text("#j-2 .up") == "Right to refuse"
    page.click("text=New conversation")
    page.wait_for_selector("#sources .hint")
    ask(page, searched)
    page.wait_for_selector("#j-1 .up[aria-pressed=true]")
    press(page, "#j-1 .up", "Taken back.")


@pytest.mark.parametrize("page", [{"width": 390, "height": 844}], indirect=True)
def test_on_a_phone_an_answer_can_be_judged(page: Page, folder: Path) -> None:
    ask(page, "When did the generator fail?")
    page.wait_for_selector("#j-1 .down[aria-pressed=false]")
    press(page, "#j-1 .down")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator("#j-1 button").all():
        assert button.bounding_box()["height"] >= 36
    press(page, "#j-1 .down", "Taken back.")


def test_what_cannot_be_kept_is_said(page: Page, folder: Path) -> None:
    ask(page, FALL)
    page.wait_for_selector("#j-1 .up[aria-pressed=false]")
    page.evaluate("document.querySelector('#c-1-1 button.source').dataset.excerpt = JSON.stringify("
                  "{source: '../x', start: 0, end: 3, quote: 'abc'})")  # fmt: skip
    press(page, "#c-1-1 button.source", "Not noted: no document")
    assert pressed(page, "#c-1-1 button.source") == "false"


def test_only_the_page_itself_may_judge(address: str, folder: Path) -> None:
    before = said(folder)
    excerpt = {"source": "11-cooks-letter-home.md", "start": 0, "end": 3, "quote": "not"}
    body = json.dumps({"question": FALL, "relevant": True, "excerpt": excerpt}).encode()
    ours = {"Origin": address, "Content-Type": "application/json"}
    for headers, sent, status in [
        (ours, body, 400),  # the quote is not there
        (ours, b"x" * 300_000, 413),
        (ours, b"{", 400),
        (ours | {"Content-Type": "text/plain"}, body, 415),
        (ours | {"Origin": "http://attacker.example"}, body, 403),
        (ours | {"Origin": "null"}, body, 403),
        (ours | {"Sec-Fetch-Site": "cross-site"}, body, 403),
        ({"Content-Type": "application/json"}, body, 403),
        (ours | {"Host": "attacker.example"}, body, 403),
    ]:
        got, answered = fetched(address + "/feedback", headers, sent)
        assert got == status, (headers, sent[:40])
        assert "default-src 'self'" in answered["content-security-policy"]
    assert fetched(address + "/feedback", {})[0] in (404, 405)
    assert said(folder) == before


def test_the_endpoint_gives_the_object_of_ask_json(address: str) -> None:
    from gradio_client import Client

    got = Client(address, verbose=False).predict(FALL, api_name="/ask")
    assert got["text"] == f"{FELL} [1]"
    assert got["citations"][0]["quote"] == FELL
    assert set(got) == {
        "question", "searched", "text", "abstained", "confidence", "citations", "hits", "unsupported", "weak",
        "generator", "left_out", "notices", "generation", "timings",
    }  # fmt: skip


def test_a_second_endpoint_takes_the_questions_before(address: str) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(address, verbose=False)
    got = client.predict(BROKE, [FALL], api_name="/follow_up")
    assert got["searched"] == ADDED
    assert got["citations"][0]["quote"] == BROKEN
    for history in (7, FALL, [3], ["  "]):
        with pytest.raises(AppError, match=r"history must be a list|a question is a text|the question is empty"):
            client.predict(BROKE, history, api_name="/follow_up")


def test_both_endpoints_take_the_documents_that_are_asked(address: str) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(address, verbose=False)
    diary, gone = "03-diary-of-tomasz-brzeski.txt", "gone.txt"
    for given in ((FALL, [diary]), (FALL, [], [diary])):
        got = client.predict(*given, api_name="/follow_up" if len(given) == 3 else "/ask")
        assert {hit["source"] for hit in got["hits"]} == {diary}
        got = client.predict(*given[:-1], None, api_name="/follow_up" if len(given) == 3 else "/ask")
        assert got["citations"][0]["quote"] == FELL
    for sources, said in (([gone], "no document 'gone.txt'"), ([], "no document is chosen"), (7, "must be a list"),
                          ([7], "must be a list"), (diary, "must be a list")):  # fmt: skip
        with pytest.raises(AppError, match=said):
            client.predict(FALL, sources, api_name="/ask")


def test_every_response_carries_the_policy(address: str) -> None:
    for path in ("/", "/document?source=nowhere.txt", "/config", "/no-such-page"):
        _, headers = fetched(address + path, {})
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_requests_for_other_names_are_refused(address: str) -> None:
    assert fetched(address, {"Host": "attacker.example"})[0] == 400
    assert fetched(address + "/document?source=nowhere.txt", {})[0] == 404


def test_a_body_over_the_limit_is_refused_however_it_comes(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    for headers, body in (
        ({"Content-Length": "300000"}, b"x" * 300_000),
        ({"Transfer-Encoding": "chunked"}, b"493e0\r\n" + b"x" * 300_000 + b"\r\n0\r\n\r\n"),
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            lines = ["POST /gradio_api/call/ask HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            assert connection.recv(12) == b"HTTP/1.1 413"


def test_the_endpoint_takes_nothing_but_a_question(address: str) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    for question in (123, None, ["a"], "   ", "x" * 4001):
        with pytest.raises(AppError, match=r"a question is a text|the question"):
            Client(address, verbose=False).predict(question, api_name="/ask")


def fetched(address: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, dict[str, str]]:
    """Status, and headers by lower-cased name."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as response:
            return response.status, {name.lower(): value for name, value in response.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}
