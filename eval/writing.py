"""An evaluation on disk: its figures, its rows, and a page that shows them."""

from pathlib import Path

from .collection_page import collection_page
from .comparison import Comparison
from .comparison_page import comparison_page
from .files import write_json, write_rows, write_text
from .question_page import question_page
from .question_reports import QuestionReport
from .reports import Report
from .runs import write_qrels, write_run


def write(evaluation: Report | QuestionReport | Comparison, folder: str | Path) -> Path:
    """Write an evaluation into a folder, made if need be; the folder's absolute path.

    report.html is one file that needs no network. Of an evaluation also report.json, config.json and
    per_query.jsonl (a row a query or question), of a search run.trec and qrels.trec; of a comparison
    comparison.json. Raises UsageError for a folder that cannot be written.
    """
    at = Path(folder).expanduser().resolve()
    if isinstance(evaluation, Comparison):
        write_json(at / "comparison.json", evaluation.as_json(at))
        write_text(at / "report.html", comparison_page(evaluation))
        return at
    if isinstance(evaluation, Report):
        write_run(at / "run.trec", evaluation.run, tag=f"footnoted-{evaluation.mode}")
        write_qrels(at / "qrels.trec", evaluation.qrels)
    write_rows(at / "per_query.jsonl", evaluation.rows())
    write_json(at / "config.json", evaluation.config)
    write_json(at / "report.json", evaluation.as_json(at))
    page = collection_page(evaluation) if isinstance(evaluation, Report) else question_page(evaluation)
    write_text(at / "report.html", page)
    return at
