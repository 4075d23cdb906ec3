"""The README's table, made from benchmarks/results.

python benchmarks/figures.py      writes it; tests/test_docs.py holds README and results together
"""

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
_BLOCK = re.compile(r"(<!-- figures:[^\n]*-->\n).*?(<!-- /figures -->)", re.DOTALL)


def table() -> str:
    """Markdown: what was measured, the figure, and the command that shows it."""
    quality, ask = _read("quality"), _read("ask")
    rows = [("", "dense", "lexical", "fused")]
    for name, measure in (
        ("scifact", "nDCG@10"),
        ("scifact", "R@100"),
        ("cranfield, the half not tuned on", "nDCG@10"),
    ):
        modes = quality["figures"][name]
        rows.append((f"{name}, {measure}", *(f"{modes[mode][measure]:.3f}" for mode in ("dense", "lexical", "fused"))))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---|---|---|---|")
    types, refusal = quality["figures"]["seed"]["types"], quality["figures"]["seed"]["refusal"]
    fact, contested = types["fact"], types["contested"]
    unanswerable = refusal["unanswerable_refused"] + refusal["unanswerable_answered"]
    figures, machine = ask["figures"], ask["machine"]
    lines += [
        "",
        "On a long encyclopaedia article with 20 questions (never tuned on): "
        f"{fact['quoted']} of {fact['questions']} facts answered in the quotes, "
        f"{contested['right']} of {contested['questions']} contested questions with both sides, "
        f"{refusal['unanswerable_refused']} of {unanswerable} unanswerable ones refused, "
        f"{refusal['answerable_refused']} answerable ones refused; "
        f"{quality['figures']['seed']['exact_quotes']} of {quality['figures']['seed']['quotes']} quotes exact.",
        "",
        f"`footnoted ask`, whole process: {figures['footnoted']['cpu']:.2f} CPU seconds and "
        f"{figures['footnoted']['peak_mb']:.0f} MB; plain sentence-transformers + FAISS, searching only: "
        f"{figures['plain']['cpu']:.2f} and {figures['plain']['peak_mb']:.0f} MB (median ratio "
        f"{figures['cpu ratio']['median']:.2f}, {figures['runs']} runs in turn).",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {ask['date']}. "
        "`python benchmarks/quality.py --data DIR` and `python benchmarks/ask.py --file FILE` show these; "
        "benchmarks/results has the versions.",
    ]
    return "\n".join(lines)


def filled(readme: str) -> str:
    """The README with the table in its place."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", readme)


def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return values


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
