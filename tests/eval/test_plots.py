"""What the plots draw: numbers to places in the picture."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from eval import plots
from eval.plots import Labels, number, signed, ticks

LABELS = Labels("Risk <b>", "What is & seen", "x & y", "<share>")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def of(svg: str, tag: str, kind: str) -> list[ElementTree.Element]:
    return [one for one in parsed(svg).iter(f"{SVG}{tag}") if one.get("class", "").split()[:1] == [kind]]


def told(one: ElementTree.Element) -> str:
    return one.findtext(f"{SVG}title") or ""


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 0.3, [0, 0.1, 0.2, 0.3]),
        (-0.1, 0.1, [-0.1, -0.05, 0, 0.05, 0.1]),
        (0, 225, [0, 50, 100, 150, 200]),
        (0, 7, [0, 2, 4, 6]),
        (0, 1200, [0, 500, 1000]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, wanted: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(wanted)


def test_numbers_have_a_true_minus() -> None:
    assert [number(value) for value in (0.2, 1.0, -0.5, 1234.5, 12_000)] == [
        "0.2", "1", "−0.5", "1234", "12,000",
    ]  # fmt: skip
    assert [signed(value) for value in (0.0267, -0.1, 0.0)] == ["+0.027", "−0.100", "0"]


def test_the_risk_curve_runs_over_the_whole_width() -> None:
    svg = plots.risk_curve(LABELS, [(0.5, 0.0, "first"), (1.0, 0.4, "last")], (0.5, 0.0, "as run"))
    (line,) = of(svg, "polyline", "series")
    # 306 units across from 42 on, 176 up from 190; the axis ends at .4
    assert line.get("points") == "195.0,190.0 348.0,14.0"
    (dot,) = of(svg, "circle", "mark")
    assert (dot.get("cx"), dot.get("cy"), told(dot)) == ("195.0", "190.0", "as run")
    assert [told(one) for one in of(svg, "circle", "touch")] == ["first", "last"]


def test_calibration_dots_grow_with_their_count() -> None:
    svg = plots.calibration(LABELS, [(0.5, 1.0, 0.8, 1.0, 4, "four"), (1.0, 0.0, 0.0, 0.5, 1, "one")])
    four, one = of(svg, "circle", "dot")
    assert (four.get("cx"), four.get("cy"), four.get("r")) == ("195.0", "14.0", "6.0")
    assert (one.get("cx"), one.get("cy"), one.get("r")) == ("348.0", "190.0", "4.2")
    assert [line.get("points") for line in of(svg, "polyline", "whisker")][1] == "348.0,190.0 348.0,102.0"


def test_a_histogram_counts_every_value_once() -> None:
    svg = plots.histogram(LABELS, [0, 1, 1, 2.9, 10], "ms", bins=5)
    assert [told(bar) for bar in of(svg, "rect", "bar")] == ["0 to 2 ms: 3", "2 to 4 ms: 1", "8 to 10 ms: 1"]


def test_a_histogram_does_not_stretch_for_one_far_value() -> None:
    svg = plots.histogram(LABELS, [0.7] * 99 + [1000.0], "ms", [(0.6, "p50"), (0.7, "p99")], bins=3)
    assert [told(bar) for bar in of(svg, "rect", "bar")] == ["0.5 to 1 ms: 99", "1 or more ms: 1"]


def test_a_histogram_against_another_hangs_from_the_same_line() -> None:
    svg = plots.histogram(LABELS, [0.1, 0.9, 0.9], top=1.0, against=[0.1], bins=2)
    bars = of(svg, "rect", "bar")
    assert [told(bar) for bar in bars] == ["0 to 0.5: 1", "0.5 to 1: 2", "0 to 0.5: 1"]
    assert [(bar.get("class"), bar.get("y"), bar.get("height")) for bar in bars] == [
        ("bar", "58.0", "44.0"),
        ("bar", "14.0", "88.0"),
        ("bar lost", "102.0", "44.0"),
    ]
    assert {text.text for text in of(svg, "text", "tick") if text.get("text-anchor") == "end"} == {"0", "1", "2"}


def test_a_profile_is_ordered_and_as_high_as_its_values() -> None:
    svg = plots.profile(LABELS, [0.25, 1.0, 0.0], ["low", "high", "none"])
    bars = of(svg, "rect", "bar")
    assert [told(bar) for bar in bars] == ["1  high", "0.25  low", "0  none"]
    assert [float(bar.get("height", 0)) for bar in bars] == [176.0, 44.0, 0.6]


def test_differences_hang_from_the_middle() -> None:
    svg = plots.profile(LABELS, [-0.5, 1.0], ["lost", "won"], differences=True)
    won, lost = of(svg, "rect", "bar")
    assert (won.get("class"), won.get("y"), won.get("height"), told(won)) == ("bar", "14.0", "88.0", "+1.000  won")
    assert (lost.get("class"), lost.get("y"), told(lost)) == ("bar lost", "102.0", "−0.500  lost")


def test_thousands_of_queries_become_quantiles() -> None:
    svg = plots.profile(LABELS, [n / 9999 for n in range(10_000)], [str(n) for n in range(10_000)])
    bars = [told(bar) for bar in of(svg, "rect", "bar")]
    assert (len(bars), bars[0], bars[-1]) == (plots.BARS, "1  9999", "0  0")


def test_whiskers_share_one_scale_and_fill_what_is_sure() -> None:
    svg = plots.whiskers(LABELS, [("one", 0.05, 0.0, 0.1, True), ("two", -0.1, -0.1, -0.1, False)])
    # 160 units either side of 180
    (one,), (two,) = of(svg, "circle", "dot")[:1], of(svg, "circle", "dot")[1:]
    assert (one.get("cx"), one.get("class")) == ("260.0", "dot")
    assert (two.get("cx"), two.get("class")) == ("20.0", "dot open")
    assert told(one) == "one: +0.050 (0 to +0.100)"


HOSTILE = "</title></svg><script>alert(1)</script>"


@pytest.mark.parametrize(
    "draw",
    [
        lambda labels: plots.risk_curve(labels, [(1, 1, HOSTILE)], (1, 1, HOSTILE)),
        lambda labels: plots.calibration(labels, [(1, 1, 1, 1, 1, HOSTILE)]),
        lambda labels: plots.histogram(labels, [1.0], HOSTILE, [(1.0, HOSTILE)]),
        lambda labels: plots.profile(labels, [1.0], [HOSTILE]),
        lambda labels: plots.whiskers(labels, [(HOSTILE, 1.0, 1.0, 1.0, True)]),
    ],
)
def test_every_text_is_escaped_and_every_plot_describes_itself(draw: Callable[[Labels], str]) -> None:
    svg = draw(Labels(HOSTILE, HOSTILE, HOSTILE, HOSTILE))
    root = parsed(svg)
    assert "<script" not in svg
    assert (root.get("role"), root.get("aria-label"), root.findtext(f"{SVG}desc")) == ("img", HOSTILE, HOSTILE)
    assert not re.search(r"nan|inf(?!o)|e[+-]\d", re.sub(r">[^<]*<", "><", svg).replace("line", ""))


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [1.0], [1e-6]])
def test_no_values_to_speak_of_are_drawn_all_the_same(values: list[float]) -> None:
    names = ["q"] * len(values)
    for svg in (
        plots.histogram(LABELS, values, marks=[(values[0], "p50")]),
        plots.profile(LABELS, values, names),
        plots.profile(LABELS, values, names, differences=True),
        plots.whiskers(LABELS, [("m", value, value, value, False) for value in values]),
        plots.risk_curve(LABELS, [(1.0, value, "") for value in values], None),
    ):
        assert "nan" not in svg
        parsed(svg)
