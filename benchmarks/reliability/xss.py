"""R17: lines that run as script where they are not escaped, as documents and as questions.

    python -m benchmarks.reliability.xss --data ../shared/data --runs 200

All of them through every function that makes HTML, parsed by Chromium's own parser; all of them as messages and cards
of the real page, drawn by Gradio and its sanitizer; and `--runs` of them asked of a running chat whose documents they
are. Only our own elements, attributes and addresses may be there; no dialog, no error, no request elsewhere.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
import uvicorn
from playwright.sync_api import Page

from benchmarks.reliability.faults import Bar, WordEmbedder, bring_up, measured
from benchmarks.reliability.hostile import RUNNING, STRANGE, Noted, ask, browser, chat, free_port, wait_for
from index import Index
from index.documents import Document, Passage, Section
from rag.answers import Answer, Citation, Doubt, Hit
from rag.feedback import Feedback
from rag.system import System
from rag.tracing import Stage, Trace
from ui import cards, document_page, found, messages, server
from ui.conversation import Conversation
from ui.libraries import Libraries
from ui.talk import Given, Message, Talk

AT_ONCE = 250
NOTHING_SAID = Feedback((), ())


def answered(line: str, marker: int = 1) -> Answer:
    """An answer in which everything that a document or a person wrote is the line."""
    passage = Passage("p", line, line, 0, len(line), line, line, None, ((0, len(line)),))
    cited = Citation(marker, line, line, 0, len(line), line, "p", None, line, 0.5, (0, len(line) // 2))
    other = Citation(marker + 1, line, line, 0, len(line), line, "q", 3, line, 0.5)
    hits = (Hit(passage, 0.5, 0.5, None),)
    return Answer(line, f"{line} [{marker}] {line} [{marker + 1}]", (cited, other), hits, searched=f"{line} · {line}")


def written(line: str) -> Answer:
    """The same from a language model whose name, doubts and notices are the line too."""
    answer = answered(line)
    spans = [Doubt(len(answer.text) + 1, len(answer.text) + 1 + len(line), line) for _ in range(2)]
    return replace(
        answer,
        text=f"{answer.text} {line} {line}",
        unsupported=(spans[0],),
        weak=(replace(spans[1], start=spans[0].end + 1, end=spans[0].end + 1 + len(line)),),
        notices=(line,),
        generator=line,
    )


def refused(line: str) -> Answer:
    return Answer(line, line, (), answered(line).hits, abstained=True, searched=line)


def fragments(line: str) -> dict[str, str]:
    """What every function that makes HTML makes of the line."""
    answer, refusal = answered(line), refused(line)
    document = Document(line, line, f"{line}\n{line}", (Section(0, len(line), 1, line),))
    return {
        "answer": messages.answer_html(answer, 1, NOTHING_SAID),
        "refusal": messages.answer_html(refusal, 1, NOTHING_SAID),
        "written": messages.answer_html(written(line), 1, NOTHING_SAID),
        "searching": cards.searching_html(answer, 1, line),
        "sources": cards.sources_html(written(line), 1, NOTHING_SAID, line, threshold=0.5, since={1: line}),
        "nearest": cards.sources_html(refusal, 1, NOTHING_SAID),
        "unanswered": cards.unanswered_html(line, 1),
        "why": found.why_html(Trace(line, line, (Stage("passage", False, line, {}),), "passage", line)),
        "question": messages.plain_html(line, "asked"),
        "document": document_page.document_html(document, len(line) + 1, 2 * len(line) + 1),
    }


def parsed(page: Page, lines: Sequence[str]) -> Counter[str]:
    """What a browser's parser finds in the HTML of the lines that is not ours."""
    found: Counter[str] = Counter()
    for first in range(0, len(lines), AT_ONCE):
        made = [fragments(line) for line in lines[first : first + AT_ONCE]]
        parts = [[name, html] for one in made for name, html in one.items()]
        script = f"""(parts) => {{ const strange = {STRANGE}; return parts.flatMap(([name, html]) =>
          strange(new DOMParser().parseFromString(html, "text/html").body).map((one) => `${{name}}: ${{one}}`)); }}"""
        found.update(page.evaluate(script, parts))
    return found


def drawn(folder: Path, lines: Sequence[str], bar: Bar) -> None:
    """The lines as messages and cards on the page itself, some hundreds at once."""
    bring_up(folder / "small", folder / "docs")
    system = System.open(folder / "small", embedder=WordEmbedder(), reader=None)

    def shown(_: Conversation, name: str, request: gr.Request) -> Given:
        first = int(name or len(lines))
        said, beside = list[Message](), list[str]()
        for turn, line in enumerate(lines[first : first + AT_ONCE], 1):
            said.append({"role": "user", "content": messages.plain_html(line, "asked")})
            html = messages.answer_html(written(line), turn, NOTHING_SAID)
            said.append({"role": "assistant", "content": html})
            beside.append(cards.sources_html(written(line), turn, NOTHING_SAID, line, since={2: line}))
        return Talk(), said, "".join(beside), gr.skip(), gr.skip()

    address = _served(system, shown)
    strange: Counter[str] = Counter()
    other = 0
    with browser(address) as (page, noted):
        for first in range(0, len(lines), AT_ONCE):
            part = lines[first : first + AT_ONCE]
            page.goto(f"{address}/?conversation={first}")
            page.wait_for_selector(f"#t-{len(part)}", timeout=120_000)
            page.wait_for_function(
                f"document.querySelectorAll('#chat .answer').length === {len(part)}", timeout=120_000
            )
            page.wait_for_timeout(500)
            for place in ("#chat", "#sources"):
                strange.update(page.eval_on_selector(place, RUNNING))
            for kind in (".asked", ".answer", "#sources .turn"):
                strange.update(page.evaluate(f"[...document.querySelectorAll('{kind}')].flatMap({STRANGE})"))
            texts = page.evaluate("[...document.querySelectorAll('#chat .asked')].map((one) => one.textContent)")
            other += sum(squeezed(one) != squeezed(line) for one, line in zip(texts, part, strict=True))
        bar.note("drawn on the page", len(lines))
        _judge(bar, "drawn", strange, noted)
        bar.check("drawn: questions whose text is another", other, 0)


def squeezed(text: str) -> str:
    return "".join(text.split())


def _served(system: System, shown: Callable[..., Given]) -> str:
    """The real page, on which a conversation that is opened again is what `shown` makes of its name."""
    Conversation.reopen = shown  # type: ignore[method-assign]
    app = server.application(Libraries(system))
    port = free_port()
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    threading.Thread(target=running.run, daemon=True).start()
    wait_for(f"http://127.0.0.1:{port}/")
    return f"http://127.0.0.1:{port}"


def asked(folder: Path, lines: Sequence[str], bar: Bar) -> None:
    """The lines as documents of a running chat, as their titles and file names, and as questions."""
    docs = folder / "hostile"
    docs.mkdir()
    for number, line in enumerate(lines):
        suffix = ("txt", "md", "html")[number % 3]
        heading = f"# {line}\n\n" if suffix == "md" else f"{line}\n\n"
        (docs / f"{number}.{suffix}").write_text(f"{heading}The field {number} holds {line} as it was found.\n")
    rows = [json.dumps({"_id": line[:200], "title": line, "text": f"Here stands {line}, row {number}."})
            for number, line in enumerate(lines)]  # fmt: skip
    (docs / "rows.jsonl").write_text("\n".join(rows))
    Index.build([docs], folder / "at")
    strange: Counter[str] = Counter()
    turns = documents = 0
    with chat(folder / "at", "--threshold", "0") as address, browser(address) as (page, noted):
        for number, line in enumerate(lines):
            if number % 20 == 0:
                page.goto(address)
                page.wait_for_selector("#question textarea")
            if not line.strip():
                continue
            ask(page, line, number % 20 + 1)
            turns += 1
            if number % 20 == 19 or number == len(lines) - 1:
                page.wait_for_timeout(300)
                for place in ("#chat", "#sources"):
                    strange.update(page.eval_on_selector(place, RUNNING))
                for kind in (".asked", ".answer", ".refusal", ".notice", "#sources .turn"):
                    strange.update(page.evaluate(f"[...document.querySelectorAll('{kind}')].flatMap({STRANGE})"))
                for link in page.locator("#sources a.open").all()[:3]:
                    address_of = link.get_attribute("href")
                    link.evaluate("(one) => one.click()")
                    page.wait_for_selector("dialog#reader[open]")
                    strange.update(page.eval_on_selector("dialog#reader main", STRANGE))
                    page.keyboard.press("Escape")
                    tab = page.context.new_page()
                    noted.watch(tab)
                    tab.goto(f"{address}/{address_of}")
                    strange.update(tab.eval_on_selector("main", STRANGE))
                    tab.close()
                    documents += 2
        bar.note("asked of a running chat", turns)
        bar.note("documents opened", documents)
        _judge(bar, "asked", strange, noted)


def _judge(bar: Bar, name: str, strange: Counter[str], noted: Noted) -> None:
    for kind, number in (
        ("elements, attributes and addresses that are not ours", strange.total()),
        ("dialogs", len(noted.dialogs)),
        ("script errors", len(noted.errors)),
        ("requests to other hosts", len(noted.elsewhere)),
    ):
        bar.check(f"{name}: {kind}", number, 0)
    for line in [*strange, *noted.dialogs, *noted.errors, *noted.elsewhere][:20]:
        print(f"{name}: {line}"[:300], flush=True)


def main() -> None:
    with measured("xss", 200, __doc__, data=True) as (options, folder, bar):
        file = options.data / "badinput" / "xss" / "payloadbox-xss-payload-list.txt"
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        lines = [line for line in lines if line]
        (folder / "docs").mkdir()
        (folder / "docs" / "one.txt").write_text("The gate is green.\n")
        bar.note("lines", len(lines))
        with browser("http://127.0.0.1") as (page, noted):
            page.goto("about:blank")
            seen = page.evaluate(f"({STRANGE})(new DOMParser().parseFromString('<img onerror=x>', 'text/html').body)")
            assert seen == ["element img", "attribute onerror of img"], seen  # the check can see
            strange = parsed(page, lines)
            bar.note("fragments parsed", len(lines) * len(fragments("x")))
            _judge(bar, "parsed", strange, noted)
        drawn(folder, lines, bar)
        asked(folder, lines[:: max(1, len(lines) // options.runs)][: options.runs], bar)


if __name__ == "__main__":
    main()
