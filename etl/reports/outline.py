"""The outline of a report: its sections, in their order, as far as there is something to say."""

from saturi.etl.reports.sections import MOST_CELL, Section, bounded
from saturi.etl.reports.shown_corpus import corpus_section
from saturi.etl.reports.shown_evaluation import evaluation_section
from saturi.etl.reports.shown_flow import flow_section
from saturi.etl.reports.shown_money import money_section
from saturi.etl.reports.shown_record import record_section
from saturi.etl.reports.shown_split import split_section
from saturi.etl.reports.shown_texts import texts_section
from saturi.etl.reports.shown_training import training_section
from saturi.etl.reports.words import Language, Words
from saturi.schemas.report import Report


def outline(report: Report, language: Language, most: int = MOST_CELL) -> list[Section]:
    """Return the sections of *report* in *language*, the cells of their tables cut to *most* signs."""
    words = Words(language)
    sections = []
    if report.corpus is not None:
        sections.append(corpus_section(report.corpus, words))
    if report.flow is not None:
        sections.append(flow_section(report, report.flow, words))
    if report.texts is not None:
        sections.append(texts_section(report, report.texts, words))
    if report.split is not None:
        sections.append(split_section(report, report.split, words))
    if report.estimate is not None:
        sections.append(money_section(report.estimate, words))
    if report.jobs:
        sections.append(training_section(report.jobs, words))
    sections += [evaluation_section(name, one, words) for name, one in report.evaluations.items()]
    if report.record is not None:
        sections.append(record_section(report.record, words))
    return [bounded(section, most) for section in sections]


def title(report: Report, language: Language) -> str:
    """Return the title of *report*."""
    words = Words(language)
    if report.flow is None:
        return words("Saturi: a corpus", "사투리: 말뭉치 보고서")
    return words("Saturi: a build", "사투리: 빌드 보고서")


def notes(report: Report, language: Language) -> list[str]:
    """Return what is not known, a sentence each."""
    words = Words(language)
    sentences = {
        "stage": words(
            "The stage is not there, or another one: nothing on scripts, speakers, cleaning and the official split.",
            "스테이지가 없거나 다른 것이어서, 대본, 화자, 정리, 공식 구분은 알 수 없습니다.",
        ),
        "price": words("The price of training this model is not known.", "이 모델의 학습 가격을 알 수 없습니다."),
        "ledger": words(
            "The ledger cannot be read: nothing on training.", "장부를 읽을 수 없어 학습은 알 수 없습니다."
        ),
        "evaluation": words("An evaluation cannot be read, and is left out.", "읽을 수 없는 평가는 뺐습니다."),
    }
    more = report.earlier_evaluations
    earlier = words(f"{more:,} earlier evaluations are not shown.", f"이전 평가 {more:,}개는 보이지 않습니다.")
    return [sentences[part] for part in report.missing] + ([earlier] if more else [])
