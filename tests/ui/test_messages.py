"""How an answer of a language model is shown: what is doubted can be seen, and nothing of it is markup."""

from html.parser import HTMLParser

from index.documents import Passage
from rag.answers import Answer, Citation, Doubt, Hit
from rag.feedback import Feedback
from ui.messages import answer_html

TEXT = "It opened in 1974. [1] It may be <b>old</b>. [2] Penguins [x](http://a) dance."


class Shown(HTMLParser):
    """The tags, and the words within each kind of span."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.within: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(dict(attrs).get("class") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for kind in self._open:
            self.within[kind] = self.within.get(kind, "") + data


def answer() -> Answer:
    passage = Passage("p", "a.txt", "A", 0, 5, "Text.")
    cited = tuple(Citation(n, "a.txt", "A", 0, 5, "Text.", "p", None, "", 0.5) for n in (1, 2))
    weak, dance = TEXT.index("It may"), TEXT.index("Penguins")
    return Answer(
        "When?",
        TEXT,
        cited,
        (Hit(passage, 1.0, None, None),),
        weak=(Doubt(weak, TEXT.index(" [2]"), "no one sentence says all of it"),),
        unsupported=(Doubt(dance, len(TEXT), "it names <no> passage"),),
        notices=("the language model wrote <a> footnote that names no passage",),
        generator="small",
    )


def test_what_is_doubted_is_underlined_and_said_in_words() -> None:
    shown = Shown(answer_html(answer(), 1, Feedback((), ())))
    assert shown.within["doubt not"] == "Penguins [x](http://a) dance. (not supported)"
    assert shown.within["doubt weakly"] == "It may be <b>old</b>. (weakly supported)"
    titles = {values.get("class"): values.get("title") for tag, values in shown.tags if tag == "span"}
    assert titles["doubt not"] == "not supported: it names <no> passage"
    assert titles["doubt weakly"] == "weakly supported: no one sentence says all of it"
    assert [values["href"] for tag, values in shown.tags if tag == "a"] == ["#c-1-1", "#c-1-2"]
    assert shown.within["told"] == "The language model wrote <a> footnote that names no passage."
    assert "b" not in {tag for tag, _ in shown.tags}


def test_each_sentence_stands_before_its_footnote() -> None:
    text = " ".join(Shown(answer_html(answer(), 1, Feedback((), ()))).within["answer"].split())
    assert text.startswith("It opened in 1974.1 It may be <b>old</b>. (weakly supported) 2 Penguins")
