"""What a wording asks for."""

import time

import pytest

from index.errors import UsageError
from rag.questions import LONGEST, Question, Wanted, offers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("How many lifeboats did she carry?", Wanted.NUMBER),
        ("how long does it take", Wanted.NUMBER),
        ("What is the annual rate?", Wanted.NUMBER),
        ("What was the total cost?", Wanted.NUMBER),
        ("When was the bridge opened?", Wanted.TIME),
        ("In what year did he die?", Wanted.TIME),
        ("Since when is it closed?", Wanted.TIME),
        ("Who designed the tower?", Wanted.PERSON),
        ("Which scientist found it?", Wanted.PERSON),
        ("Whose house is it?", Wanted.PERSON),
        ("Where is the archive?", Wanted.PLACE),
        ("In which city did they meet?", Wanted.PLACE),
        ("Why did the roof fail?", Wanted.REASON),
        ("What caused the fire?", Wanted.REASON),
        ("Was the roof repaired?", Wanted.YES_OR_NO),
        ("Does it float?", Wanted.YES_OR_NO),
        ("What is this about?", Wanted.OVERVIEW),
        ("what are these documents about", Wanted.OVERVIEW),
        ("Summarise the lease", Wanted.OVERVIEW),
        ("Please give me a short overview", Wanted.OVERVIEW),
        ("tl;dr", Wanted.OVERVIEW),
        ("List the documents", Wanted.OVERVIEW),
        ("Which documents do you have?", Wanted.OVERVIEW),
        ("What is in these files?", Wanted.OVERVIEW),
        ("What does the lease say about pets?", Wanted.OTHER),
        ("Describe the garden", Wanted.OTHER),
        ("tea", Wanted.OTHER),
        ("?!", Wanted.OTHER),
    ],
)
def test_the_kind_of_thing_that_is_wanted(text: str, wanted: Wanted) -> None:
    assert Question.parse(text).wanted is wanted


@pytest.mark.parametrize(
    "text",
    ["What documents are required for a visa?", "Which papers are cited by Smith?", "Which reports are due in March?"],
)
def test_a_question_about_documents_is_not_one_about_ours(text: str) -> None:
    assert Question.parse(text).wanted is not Wanted.OVERVIEW


@pytest.mark.parametrize(
    ("text", "is_list"),
    [("List the documents", True), ("Which files do you have?", True), ("Summarise it", False), ("Who?", False)],
)
def test_whether_it_asks_for_the_list(text: str, is_list: bool) -> None:
    assert Question.parse(text).wants_list is is_list


def test_the_text_is_trimmed_and_its_words_are_distinct_and_sorted() -> None:
    question = Question.parse("  Tea, teas or salt?\n")
    assert (question.text, question.words) == ("Tea, teas or salt?", ("salt", "tea"))


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u3000\ufeff"])
def test_nothing_is_no_question(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Question.parse(text)
    assert str(error.value) == "the question is empty: ask something"


def test_a_question_has_a_longest_length() -> None:
    assert Question.parse("a" * LONGEST).text == "a" * LONGEST
    with pytest.raises(UsageError) as error:
        Question.parse("a" * 5000)
    assert str(error.value) == "the question has 5,000 characters, at most 4,000 are read: shorten it"


@pytest.mark.parametrize(
    "part", ["what is ", "what ", "list of the ", "how many which ", "1. ", "A, ", "is about ", " "]
)
def test_no_wording_takes_long(part: str) -> None:
    started = time.process_time()
    question = Question.parse(("x" + part * LONGEST)[: LONGEST - 1] + "x")
    for wanted in Wanted:
        offers(wanted, question.text, question)
    question = Question.parse((part * LONGEST).strip()[:LONGEST] or "x")
    assert question.wants_list in (True, False)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("wanted", "sentence", "offered"),
    [
        (Wanted.NUMBER, "It had 20 boats.", True),
        (Wanted.NUMBER, "It had twenty boats.", True),
        (Wanted.NUMBER, "It had boats.", False),
        (Wanted.TIME, "It opened in 1974.", True),
        (Wanted.TIME, "It opened on 3 May.", True),
        (Wanted.TIME, "It opened on Monday.", True),
        (Wanted.TIME, "It closes at 18:30.", True),
        (Wanted.TIME, "You may enter.", False),
        (Wanted.PERSON, "It was built by Eiffel.", True),
        (Wanted.PERSON, "Built by a man.", False),
        (Wanted.PLACE, "They met in the Hague.", True),
        (Wanted.PLACE, "They met in a house.", False),
        (Wanted.REASON, "It fell because of snow.", True),
        (Wanted.REASON, "It fell.", False),
        (Wanted.OTHER, "It fell in 1974 because of Bob.", False),
    ],
)
def test_whether_a_sentence_has_that_kind_of_thing(wanted: Wanted, sentence: str, offered: bool) -> None:
    assert offers(wanted, sentence, Question.parse("what?")) is offered


def test_a_name_that_the_question_brings_is_no_answer_to_who() -> None:
    question = Question.parse("Who wrote to Ada Lovelace?")
    assert not offers(Wanted.PERSON, "A letter came to Ada Lovelace.", question)
    assert offers(Wanted.PERSON, "A letter came to Ada Lovelace from Babbage.", question)
