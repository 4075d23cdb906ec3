"""The tables of README.md, docs/evaluation.md and docs/performance.md, made from benchmarks/results.

python benchmarks/figures.py      writes them; tests/test_docs.py holds them and the results together
"""

import re
from pathlib import Path

from bars import blocks, first_bars
from recording import recorded

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
_COLLECTIONS = {
    "scifact": "SciFact",
    "cranfield": "Cranfield, the half not tuned on",
    "squad-v2.0-dev": "SQuAD v2.0 dev, the articles not tuned on",
}
EVALUATION = HERE.parent / "docs" / "evaluation.md"
PERFORMANCE = HERE.parent / "docs" / "performance.md"


def table() -> str:
    """Markdown: what was measured, the figure, and the command that shows it."""
    return "\n\n".join([_retrieval(), _answers(), _ask()])


def _retrieval() -> str:
    figures = recorded("retrieval")["figures"]
    systems = ("dense", "lexical", "half and half", "ours")
    rows = [("", *systems, "ours less half and half, 95 %")]
    for name, shown in _COLLECTIONS.items():
        for measure in ("nDCG@10", "Success@1", "R@100") if name == "scifact" else ("nDCG@10", "Success@1"):
            change, low, high = figures[name]["ours less half and half"][measure]
            rows.append(
                (
                    f"{shown}, {measure}",
                    *(f"{figures[name][system][measure]:.3f}" for system in systems),
                    f"{change:+.3f} ({low:+.3f} to {high:+.3f})",
                )
            )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---|---|---|---|---|---|", *lines[1:]])


def _answers() -> str:
    figures = recorded("answers")["figures"]
    squad, seed, papers, talk = (
        figures["squad"],
        figures["seed"],
        figures["papers"],
        recorded("conversation")["figures"]["last turns"],
    )
    alone = figures["without a reader"]
    types, refusal = seed["types"], seed["refusal"]

    def both(name: str) -> str:
        return f"{squad[name][0]:.3f} ({alone['squad'][name][0]:.3f})"

    unanswerable = refusal["unanswerable_refused"] + refusal["unanswerable_answered"]
    lines = [
        f"SQuAD v2.0 dev, all paragraphs, {squad['answerable']:,} questions of the articles not tuned on (in brackets "
        f"without the reader): the right paragraph first {both('gold first')}, the answer in one quoted sentence "
        f"{both('answer in one quote')}, in at most three {both('answer in at most three')}, the words marked exact "
        f"{both('EM')}, F1 {both('F1')}; confidence against {squad['deceptive']:,} questions written to "
        f"deceive AUROC {both('AUROC against the deceptive')}, against questions of other collections "
        f"{squad['AUROC against chunking-evaluation'][0]:.3f} and {squad['AUROC against cranfield'][0]:.3f}.",
        f"A long encyclopaedia article, 20 questions (never tuned on): {types['fact']['quoted']} of "
        f"{types['fact']['questions']} facts answered in the quotes, {types['contested']['right']} of "
        f"{types['contested']['questions']} contested questions with both sides, {refusal['unanswerable_refused']} of "
        f"{unanswerable} unanswerable ones refused, {refusal['answerable_refused']} answerable ones refused; "
        f"{seed['exact_quotes']} of {seed['quotes']} quotes exact.",
        f"Five papers as PDF, {papers['questions']} questions: the right paper first "
        f"{papers['right file first'][0]:.3f}, at least half of the answer's key words in the quotes "
        f"{papers['at least 50% of the key words'][0]:.3f}.",
        f"Follow-up questions, nDCG@5 with what the conversation adds: {talk['difference']:+.3f} "
        f"({talk['from']:+.3f} to {talk['to']:+.3f}).",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _ask() -> str:
    ask = recorded("ask")
    figures, machine = ask["figures"], ask["machine"]
    alone, plain = figures["without a reader"], figures["plain"]
    ratio = {name: figures[f"cpu ratio, {name}"]["median"] for name in ("footnoted", "without a reader")}

    def shown(one: dict[str, float]) -> str:
        return f"{one['cpu']:.2f} CPU seconds and {one['peak_mb']:.0f} MB"

    return (
        f"`footnoted ask`, whole process: {shown(figures['footnoted'])}, without the reader {shown(alone)}; plain "
        f"sentence-transformers + FAISS, searching only: {shown(plain)} (median ratios "
        f"{ratio['footnoted']:.2f} and {ratio['without a reader']:.2f}, "
        f"{figures['runs']} runs in turn).\n\n"
        f"{machine['processor']}, {machine['cores']} cores, {ask['date']}. `python benchmarks/retrieval.py --data DIR` "
        "and `answers.py`, `conversation.py`, `ask.py` beside it show these; benchmarks/results has the versions."
    )


def ablation() -> str:
    """Markdown: the tuning halves with one constant changed at a time."""
    figures = recorded("retrieval_tuning")["figures"]
    cranfield, squad = figures["cranfield"], figures["squad-v2.0-dev"]
    lines = ["| | Cranfield, nDCG@10 | SQuAD v2.0 dev, nDCG@10 | Success@1 |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {cranfield[name]['nDCG@10']:.3f} | {squad[name]['nDCG@10']:.3f} | {squad[name]['Success@1']:.3f} |"
        for name in cranfield
        if name != "queries"
    ]
    return "\n".join(lines)


def filled(text: str, name: str, content: str) -> str:
    """A document with the content between the marks of that name. Raises ValueError if it has none."""
    marks = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    done, found = marks.subn(lambda mark: f"{mark[1]}\n{content}\n\n{mark[2]}", text)
    if not found:
        raise ValueError(f"no marks for {name}")
    return done


def contents() -> dict[Path, dict[str, str]]:
    """For each document, what stands between its marks."""
    return {
        README: {"figures": table(), "speed": first_bars()},
        EVALUATION: {"ablation": ablation()},
        PERFORMANCE: blocks(),
    }


def main() -> None:
    for file, parts in contents().items():
        text = file.read_text(encoding="utf-8")
        for name, content in parts.items():
            text = filled(text, name, content)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
