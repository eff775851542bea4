"""The section on training: jobs, and their losses."""

from math import isfinite

from saturi.etl.reports.charts import lines
from saturi.etl.reports.sections import Figure, Section, Table, shortened, thinned
from saturi.etl.reports.shown_names import short, shorts
from saturi.etl.reports.words import Words, count, decimal
from saturi.schemas.report import LossPoint, TrainingJob

_MOST_JOBS = 3  # whose losses are drawn
_MOST_ROWS = 24
_MOST_STEPS = 32  # of a line, and of its table


def training_section(jobs: list[TrainingJob], words: Words) -> Section:
    """Return the section on jobs: what became of each, and its losses."""
    titles = shorts(job.title for job in jobs)
    rows = [
        (
            title,
            short(job.model),
            words.term(job.status),
            count(job.epochs),
            count(job.examples),
            count(job.trained_tokens),
        )
        for title, job in zip(titles, jobs, strict=True)
    ]
    header = (
        words("job", "작업"),
        words("model", "모델"),
        words("status", "상태"),
        words("epochs", "에폭"),
        words("examples", "예문"),
        words("trained tokens", "학습한 토큰"),
    )
    description = words("Every job of the ledger.", "장부의 모든 작업입니다.")
    figures = [Figure(words("Jobs", "작업"), description, Table(header, shortened(rows, words, _MOST_ROWS), 3))]
    seen = [(title, job) for title, job in zip(titles, jobs, strict=True) if job.losses]
    figures += [_losses(title, job.losses, words) for title, job in seen[:_MOST_JOBS]]
    sentences = []
    if not seen:
        sentences = [
            words(
                "No loss is known: `saturi watch` writes them down.", "손실값이 없습니다. `saturi watch`가 기록합니다."
            )
        ]
    elif len(seen) > _MOST_JOBS:
        sentences = [
            words(
                f"Losses are shown of the first {_MOST_JOBS} of {len(seen):,} jobs that have any.",
                f"손실값이 있는 작업 {len(seen):,}개 가운데 처음 {_MOST_JOBS}개만 보입니다.",
            )
        ]
    return Section("training", words("Training", "학습"), sentences, figures)


def _losses(title: str, losses: list[LossPoint], words: Words) -> Figure:
    train, validation = words.term("train"), words.term("validation")
    drawn = _chosen(losses)
    points = [(loss.step, train, loss.train) for loss in drawn if loss.train is not None and isfinite(loss.train)]
    points += [
        (loss.step, validation, loss.validation)
        for loss in drawn
        if loss.validation is not None and isfinite(loss.validation)
    ]
    rows = [(f"{loss.step:,}", decimal(loss.train, 4), decimal(loss.validation, 4)) for loss in drawn]
    step, loss_axis = words("step", "단계"), words("loss", "손실")
    some = (
        words(f" {len(drawn)} of {len(losses):,} steps.", f" 단계 {len(losses):,}개 가운데 {len(drawn)}개입니다.")
        if len(drawn) < len(losses)
        else ""
    )
    return Figure(
        f"{words('Loss', '손실')}: {title}",
        words(
            "Loss by step, of training (solid) and of validation (dashed).",
            "단계별 손실: 학습(실선)과 검증(점선)입니다.",
        )
        + some,
        Table((step, train, validation), rows),
        lines(points, step, loss_axis) if points else None,
    )


def _chosen(losses: list[LossPoint]) -> list[LossPoint]:
    """Return `_MOST_STEPS` of *losses*, the first and last included, and as many as half of them with one of validation."""
    if len(losses) <= _MOST_STEPS:
        return losses
    both = [loss for loss in losses if loss.validation is not None]
    alone = [loss for loss in losses if loss.validation is None]
    validated = thinned(both, _MOST_STEPS // 2 if alone else _MOST_STEPS)
    return sorted(validated + thinned(alone, _MOST_STEPS - len(validated)), key=lambda loss: loss.step)
