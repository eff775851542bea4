"""Evaluations while models fail in every way, and while the evaluation itself is killed."""

import json
import random
import re
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from evaluations import MODEL, asked, run, score, sources, standard, system, write_test_file
from evaluator import DONE, start
from killings import PATIENCE_SECONDS
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer, error
from provider.chat import completion
from provider.faults import CHAT, answer_lost, refused, reset, timeout
from submissions import HASTE, KEY

from saturi.etl.errors import BuildError, EligibilityError, EtlError, NoAnswerError, ProviderError
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.evaluation.progress import Progress
from saturi.etl.evaluation.results import read_evaluation

ROWS = 200
"""Of the thorough run; by default it is a third."""

ROWS_A_KILL = 20

MakeFault = Callable[[int], Fault]

FAULTS: dict[str, MakeFault] = {
    "429": lambda nth: refused(CHAT, 429, nth=nth),
    "429-retry-after": lambda nth: refused(CHAT, 429, retry_after="0.01", nth=nth),
    "500": lambda nth: refused(CHAT, 500, nth=nth),
    "503": lambda nth: refused(CHAT, 503, nth=nth),
    "reset": lambda nth: reset(CHAT, nth=nth),
    "answer-lost": lambda nth: answer_lost(CHAT, nth=nth),
    "slow": lambda nth: timeout(CHAT, 0.05, carried_out=True, nth=nth),
    "page": lambda nth: Fault(CHAT, nth=nth, answer=Answer(b"<html>bad gateway</html>")),
    "page-502": lambda nth: Fault(CHAT, nth=nth, answer=Answer(b"<html>bad gateway</html>", 502)),
    "cut-json": lambda nth: Fault(CHAT, nth=nth, answer=Answer(b'{"choices": [{"mess')),
    "no-choice": lambda nth: Fault(CHAT, nth=nth, answer=Answer({"choices": []})),
    "empty-object": lambda nth: Fault(CHAT, nth=nth, answer=Answer({})),
}
"""What may happen to any request, and is over the next time."""


def almost(text: str) -> str:
    """Return *text* in standard Korean, but for some of it."""
    return standard(text) if len(text) % 3 else text


def test_faults(tmp_path: Path, server: Server, world: World, pytestconfig: pytest.Config) -> None:
    """Under faults of every kind each row is answered once, and the scores are those of a run without any."""
    rows, times = (ROWS, 3) if pytestconfig.getoption("--thorough") else (ROWS // 3, 1)
    file = write_test_file(tmp_path / "test.jsonl", sources(rows))
    world.chats[MODEL] = almost
    rng = random.Random(7)
    world.faults += [make(rng.randint(1, rows // 4)) for make in FAULTS.values() for _ in range(times)]
    disturbed = run(file, server, world, name="disturbed")
    assert all(fault.seen >= fault.nth for fault in world.faults)
    assert sorted(asked(world)) != sorted(set(asked(world)))  # some had to be asked again
    assert set(asked(world)) == set(sources(rows))
    assert _answers(disturbed.folder) == rows
    world.faults.clear()
    undisturbed = run(file, server, world, name="undisturbed", seed=1)
    assert disturbed.evaluation.systems[1].strata == undisturbed.evaluation.systems[1].strata


def test_kills(tmp_path: Path, server: Server, world: World, pytestconfig: pytest.Config) -> None:
    """An evaluation that is killed many times asks only what it has no answer to, and scores as if nothing had been."""
    kills = pytestconfig.getoption("--kills")
    rows = ROWS_A_KILL * (kills + 5)
    file = write_test_file(tmp_path / "test.jsonl", sources(rows))
    world.chats[MODEL] = almost
    address = server.base_url(world.name)
    options = EvaluateOptions(file=file, model=(MODEL,), provider="custom", base_url=address, name="killed")
    for kill in range(kills):
        wanted = (kill + 1) * ROWS_A_KILL
        process = start(options)
        while process.exitcode is None and len(world.requests) < wanted:
            time.sleep(0.002)
        process.kill()
        process.join()
    known = _answers(file.parent / "evaluation" / "killed")
    assert 0 < known < rows
    last = start(options)
    last.join(PATIENCE_SECONDS)
    assert last.exitcode == DONE
    result = read_evaluation(file.parent / "evaluation" / "killed")
    found = system(result, MODEL)
    assert (found.known, found.asked, found.known + found.asked) == (known, rows - known, rows)
    # What was on its way when the process was killed is all that is asked again.
    assert len(asked(world)) <= rows + kills * 16
    assert found.strata == run(file, server, world, name="not-killed", seed=1).evaluation.systems[1].strata


def _answers(folder: Path) -> int:
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        [(count,)] = journal.execute("SELECT count(*) FROM answers").fetchall()
    journal.close()
    return int(count)


OUTCOMES = {
    "stop": (completion("m", "가", "stop"), ()),
    "no-reason": (completion("m", "가", None), ()),
    "unheard-of": (completion("m", "가", "eos"), ()),
    "length": (completion("m", "가", "length"), ("cut_off",)),
    "content-filter": (completion("m", None, "content_filter"), ("refused", "empty")),
    "filtered-halfway": (completion("m", "가", "content_filter"), ("refused",)),
    "tool-calls": (completion("m", None, "tool_calls", tool_calls=[]), ("empty",)),
    "function-call": (completion("m", None, "function_call"), ("empty",)),
    "refusal": (completion("m", None, "stop", refusal="못 합니다"), ("refused", "empty")),
    "blank": (completion("m", " \n", "stop"), ("empty",)),
    "parts": (
        Answer({"choices": [{"message": {"content": [{"type": "text", "text": "가"}]}, "finish_reason": "stop"}]}),
        (),
    ),
    "prompt-refused": (error(400, "filtered", "content_filter"), ("refused", "empty")),
    "too-long": (error(400, "too long", "context_length_exceeded"), ("refused", "empty")),
}


@pytest.mark.parametrize(("answer", "shares"), OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes(tmp_path: Path, server: Server, world: World, answer: Answer, shares: tuple[str, ...]) -> None:
    """Whatever an answer ends with, it is counted for what it is, kept, and scored as it stands."""
    file = write_test_file(tmp_path / "test.jsonl", sources(1))
    world.chats[MODEL] = standard
    world.faults.append(Fault(CHAT, answer=answer))
    result = run(file, server, world)
    counted = {name for name in ("refused", "empty", "cut_off") if score(result, MODEL, name).score}
    assert counted == set(shares)
    run(file, server, world)
    assert asked(world) == []  # the one request met the fault


def test_hostile_answers(tmp_path: Path, server: Server, world: World) -> None:
    """What is no text of a terminal, or no text at all, is kept as data and breaks nothing; what is endless is cut off."""
    texts = ["\x1b[2J가\0나", "가\u202e나\u2028다", "가" * 200_000, "\ud800가"]
    rows = sources(len(texts))
    answers = dict(zip(rows, texts, strict=True))
    file = write_test_file(tmp_path / "test.jsonl", rows)
    world.chats[MODEL] = standard
    for text in answers.values():
        world.faults.append(Fault(CHAT, answer=completion("m", None, "stop", content=text)))
    result = run(file, server, world, concurrency=1)
    made = result.predictions().collect().filter(system=MODEL)["prediction"].to_list()
    assert made[0] == "\x1b[2J가\ufffd나"
    assert made[1] == texts[1]
    assert made[2] == "가" * 100_000
    assert made[3] == "\ufffd가"
    assert score(result, MODEL, "cut_off").score == 25


def test_the_key_is_nobodys_answer(tmp_path: Path, server: Server, world: World) -> None:
    """A model that says the key back has it masked, in the journal and in the predictions."""
    file = write_test_file(tmp_path / "test.jsonl", sources(1))
    world.faults.append(Fault(CHAT, answer=completion("m", f"열쇠는 {KEY}")))
    result = run(file, server, world)
    for path in result.folder.iterdir():
        assert KEY.encode() not in path.read_bytes()
    assert result.predictions().collect().filter(system=MODEL)["prediction"].to_list() == ["열쇠는 (key)"]


FOR_GOOD = {
    "401": (lambda: refused(CHAT, 401), ProviderError, "check the key"),
    "402-quota": (lambda: refused(CHAT, 429, "insufficient_quota"), EligibilityError, "used up"),
    "404-model": (lambda: refused(CHAT, 404, "model_not_found"), EligibilityError, "give a model that this account"),
    "400": (lambda: refused(CHAT, 400), ProviderError, "answer 400"),
}


@pytest.mark.parametrize(("fault", "kind", "words"), FOR_GOOD.values(), ids=FOR_GOOD)
def test_refused_for_good(
    tmp_path: Path, server: Server, world: World, fault: Callable[[], Fault], kind: type[EtlError], words: str
) -> None:
    """What would be refused again and again ends the evaluation at once; what was answered is kept."""
    file = write_test_file(tmp_path / "test.jsonl", sources(12))
    world.chats[MODEL] = standard
    world.faults.append(structs.replace(fault(), nth=5))
    with pytest.raises(kind, match=words):
        run(file, server, world, concurrency=1)
    assert len(asked(world)) <= 7
    assert run(file, server, world).evaluation.test_set.rows == 12
    assert sorted(asked(world)) == sorted(sources(12))


PARTICULAR = {
    "max_tokens": ({"max_completion_tokens"}, "max_completion_tokens in the place of max_tokens"),
    "temperature": ({"max_tokens"}, "no temperature"),
    "seed": ({"max_tokens"}, "no seed"),
}


@pytest.mark.parametrize("named", [True, False], ids=["param", "message"])
@pytest.mark.parametrize("refused_parameters", [*((name,) for name in PARTICULAR), tuple(PARTICULAR)], ids="+".join)
def test_models_that_do_not_take_a_parameter(
    tmp_path: Path, server: Server, world: World, refused_parameters: tuple[str, ...], *, named: bool
) -> None:
    """A model that refuses a parameter by its name is asked without it, or by the other name, from then on; the result says so."""
    file = write_test_file(tmp_path / "test.jsonl", sources(8))

    def refuse(_: str, answer: Answer) -> Answer:
        sent = json.loads(world.requests[-1].body)
        for name in refused_parameters:
            if name in sent:
                code = "unsupported_value" if name == "temperature" else "unsupported_parameter"
                problem = {"message": f"Unsupported: '{name}'.", "code": code, "param": name if named else None}
                return Answer({"error": problem}, 400)
        return answer

    world.chats[MODEL] = standard
    world.alter = refuse
    result = run(file, server, world, concurrency=1)
    assert score(result, MODEL, "exact").score == 100
    assert len(result.evaluation.notes) == len(refused_parameters)
    for name in refused_parameters:
        assert any(PARTICULAR[name][1] in note for note in result.evaluation.notes)
    assert len(asked(world)) == 8 + len(refused_parameters)
    last = json.loads(world.requests[-1].body)
    assert not set(refused_parameters) & set(last)
    assert ("max_completion_tokens" in last) == ("max_tokens" in refused_parameters)


def test_a_parameter_that_is_refused_either_way(tmp_path: Path, server: Server, world: World) -> None:
    """A model that refuses both names of a parameter is refused for good, by what it says."""
    file = write_test_file(tmp_path / "test.jsonl", sources(5))
    problem = {"message": "Unsupported.", "code": "unsupported_parameter", "param": "max_tokens"}
    world.faults.append(_Always(CHAT, answer=Answer({"error": problem}, 400)))
    with pytest.raises(ProviderError, match="answer 400: Unsupported"):
        run(file, server, world, concurrency=1)


class _Always(Fault):
    """A fault of every request."""

    def hits(self, request: str) -> bool:
        """Return whether *request* is one."""
        return super().hits(request) or re.fullmatch(self.match, request) is not None


def test_nobody_there(tmp_path: Path, server: Server, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After many failures in a row it stops and says why, long before every row has waited for its deadline."""
    monkeypatch.setattr("saturi.etl.evaluation.answers.MOST_FAILURES", 30)
    file = write_test_file(tmp_path / "test.jsonl", sources(500))
    world.faults.append(_Always(CHAT, answer=error(503, "asleep")))
    with pytest.raises(NoAnswerError, match="30 requests failed in a row, the last one: answer 503: asleep"):
        run(file, server, world, pace=structs.replace(HASTE, read_seconds=60))
    assert world.faults[0].seen < 30 + 16 + 1


def _turning_away(status: int, seconds: str) -> _Always:
    return _Always(CHAT, answer=refused(CHAT, status, retry_after=seconds).answer)


@pytest.mark.parametrize("status", [429, 503])
def test_a_time_beyond_the_deadline(tmp_path: Path, server: Server, world: World, status: int) -> None:
    """A provider that asks to wait longer than a question is asked ends the run, and meets no other request than those sent."""
    file = write_test_file(tmp_path / "test.jsonl", sources(500))
    world.faults.append(_turning_away(status, "3600"))
    with pytest.raises(ProviderError, match="it asks to wait 3,600 s, and a question is asked for 5 s; run the same"):
        run(file, server, world, leave_out_unanswered=True)
    assert world.faults[0].seen <= 16


def test_all_hold_back(tmp_path: Path, server: Server, world: World) -> None:
    """While a provider asks to wait nothing is sent, whichever question it said so of; none is given up for the next one."""
    file = write_test_file(tmp_path / "test.jsonl", sources(500))
    world.faults.append(_turning_away(429, "0.7"))
    with pytest.raises(NoAnswerError, match="no answer for 1 s, the last time: answer 429"):
        run(file, server, world, pace=structs.replace(HASTE, read_seconds=1.0), leave_out_unanswered=True)
    assert world.faults[0].seen <= 3 * 16


def test_waits_that_end(tmp_path: Path, server: Server, world: World) -> None:
    """A provider that asks to wait again and again, and answers in between, is waited for."""
    file = write_test_file(tmp_path / "test.jsonl", sources(60))
    world.chats[MODEL] = standard
    world.faults += [refused(CHAT, 429, retry_after="0.05", nth=nth) for nth in range(1, 80, 8)]
    assert run(file, server, world).evaluation.test_set.rows == 60


@pytest.mark.parametrize("concurrency", [1, 16])
def test_nobody_there_for_a_few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int) -> None:
    """Where connections are refused until the first deadline, however few are asked, no other question and model is tried."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        file = write_test_file(tmp_path / "test.jsonl", sources(20))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        options = EvaluateOptions(
            file=file, model=(MODEL, "other"), provider="custom", base_url=address, concurrency=concurrency
        )
        pace = structs.replace(HASTE, read_seconds=0.3, first_wait_seconds=0.1, longest_wait_seconds=0.1)
        seen: list[Progress] = []
        with pytest.raises(NoAnswerError, match=r"no answer for 0 s, the last time: cannot be reached"):
            evaluate(options=structs.replace(options, leave_out_unanswered=True), pace=pace, report=seen.append)
    assert {one.system for one in seen if one.step == "asking"} <= {MODEL}
    assert max(one.unanswered for one in seen) <= concurrency


def test_somebody_comes_back(tmp_path: Path, server: Server, world: World) -> None:
    """A server that comes back within the deadline is waited for, by every question."""
    file = write_test_file(tmp_path / "test.jsonl", sources(20))
    world.chats[MODEL] = standard
    world.faults += [reset(CHAT, nth=nth) for nth in range(1, 60)]
    assert run(file, server, world).evaluation.test_set.rows == 20


def test_one_row_without_an_answer(tmp_path: Path, server: Server, world: World) -> None:
    """A row that never gets an answer keeps no other from theirs, and is left out for all systems where that is asked for."""
    texts = sources(30)
    file = write_test_file(tmp_path / "test.jsonl", texts)

    def break_at_one(text: str) -> str:
        if text == texts[7]:
            raise ConnectionResetError
        return standard(text)

    world.chats[MODEL] = break_at_one
    pace = structs.replace(HASTE, read_seconds=0.3)
    with pytest.raises(
        NoAnswerError, match=r"1 question without an answer \(the first: .*\); run the same command again"
    ):
        run(file, server, world, pace=pace)
    before = len(asked(world))
    result = run(file, server, world, pace=pace, leave_out_unanswered=True)
    assert set(asked(world)[before:]) == {texts[7]}
    assert (result.evaluation.test_set.rows, result.evaluation.test_set.unanswered) == (29, 1)
    assert {one.strata[0].rows for one in result.evaluation.systems} == {29}


def test_a_damaged_journal(tmp_path: Path, server: Server, world: World) -> None:
    """A journal that is none is said to be damaged, and nothing is asked."""
    file = write_test_file(tmp_path / "test.jsonl", sources(3))
    folder = tmp_path / "evaluation" / "file-test"
    folder.mkdir(parents=True)
    (folder / "journal.sqlite").write_bytes(b"no database, but longer than the header of one" * 100)
    with pytest.raises(BuildError, match=r"journal\.sqlite: damaged"):
        run(file, server, world)
    assert asked(world) == []


def test_a_damaged_journal_beside(tmp_path: Path, server: Server, world: World) -> None:
    """A damaged journal of another evaluation is named, and not one's own."""
    file = write_test_file(tmp_path / "test.jsonl", sources(3))
    world.chats[MODEL] = standard
    run(file, server, world, name="good")
    folder = tmp_path / "evaluation" / "bad"
    folder.mkdir()
    (folder / "journal.sqlite").write_bytes(b"no database, but longer than the header of one" * 100)
    with pytest.raises(BuildError, match=r"bad/journal\.sqlite: damaged"):
        run(file, server, world, name="good")
