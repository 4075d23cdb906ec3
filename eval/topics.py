"""Queries with their ids, in the three forms that they are published in.

BEIR's lines of {"_id", "text"}; lines of id, tab, text (MS MARCO, TREC Deep Learning); TREC topics, classic
(`<top>`, `<num> Number: 301`, `<title>`) or XML (`<topic number="1">`, `<query>`), of which the title is the
query, as in TREC's title-only runs. https://trec.nist.gov/data/topics_eng/
"""

import html
import re
from pathlib import Path

from index.errors import UsageError

from .files import bad_line, lines, read_rows

LAYOUT = 'topics are <top> elements, lines of id, tab and text, or lines of {"_id", "text"}'
_TOPIC = re.compile(
    r"<top(?:ic)?(?P<attributes>\s[^<>]*)?>(?P<body>.*?)(?P<end></top(?:ic)?>|(?=<top(?:ic)?[\s>])|\Z)", re.S | re.I
)
_FIELD = re.compile(r"<(num|title|query|desc|question)>\s*(?:\w+:)?(.*?)(?=</?[a-z]+>|\Z)", re.S | re.I)
_NUMBER = re.compile(r"""\bnumber\s*=\s*["']?([^"'\s>]+)""", re.I)
_AS_QUERY = ("title", "query", "desc", "question")  # the first that has text


def is_id(text: str) -> bool:
    """White space inside an id would break the columns of a TREC run file."""
    return text.split() == [text]


def read_topics(file: Path) -> dict[str, str]:
    """Query id to text, in the file's order. Raises UsageError that names the first bad line."""
    first = next((line.lstrip() for _, line in lines(file)), "")
    if first.startswith("{"):
        return read_queries(file)
    topics = _elements(file) if first.startswith("<") else _tabbed(file)
    if not topics:
        raise UsageError(f"{file} holds no topics; {LAYOUT}")
    return topics


def read_queries(file: Path) -> dict[str, str]:
    """The same from BEIR's lines of {"_id", "text"}."""
    queries: dict[str, str] = {}
    for number, row in read_rows(file):
        id, text = row.get("_id"), row.get("text")
        if isinstance(id, int):
            id = str(id)
        if not isinstance(id, str) or not is_id(id):
            raise bad_line(file, number, 'a query needs an "_id" without white space', row)
        if not isinstance(text, str) or not text.strip():
            raise bad_line(file, number, 'a query needs a "text"', row)
        if id in queries:
            raise bad_line(file, number, "query ids must differ", row)
        queries[id] = text
    return queries


def _tabbed(file: Path) -> dict[str, str]:
    topics: dict[str, str] = {}
    for number, line in lines(file):
        id, _, text = line.partition("\t")
        if not is_id(id) or not text.strip():
            raise bad_line(file, number, f"a topic is its id, a tab and its text ({LAYOUT})", line)
        if id in topics:
            raise bad_line(file, number, "query ids must differ", line)
        topics[id] = text.strip()
    return topics


def _elements(file: Path) -> dict[str, str]:
    numbered = list(lines(file))
    text = "\n".join(line for _, line in numbered)
    topics: dict[str, str] = {}
    line, counted = 0, 0
    for found in _TOPIC.finditer(text):
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        number = numbered[line][0]
        opening = " ".join(found[0].split())
        fields = {name.lower(): " ".join(html.unescape(body).split()) for name, body in _FIELD.findall(found["body"])}
        attribute = _NUMBER.search(found["attributes"] or "")
        id = fields.get("num") or (attribute[1] if attribute else "")
        query = next((fields[name] for name in _AS_QUERY if fields.get(name)), "")
        if not found["end"]:
            raise bad_line(file, number, "a topic ends with </top>", opening)
        if not is_id(id):
            raise bad_line(file, number, "a topic needs its number, one word: <num> Number: 301", opening)
        if not query:
            raise bad_line(file, number, "a topic needs a <title>", opening)
        if id in topics:
            raise bad_line(file, number, "topic numbers must differ", opening)
        topics[id] = query
    return topics
