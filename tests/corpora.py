"""Hand-made label archives: names, documents and zips with exactly the contents a test needs. All text is invented."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FIXED_DATE = (2022, 12, 1, 0, 0, 0)
REPEAT_ZIP = "TL_02._경상도_01._1인발화_따라말하기.zip"
ANSWER_ZIP = "TL_02._경상도_02._1인발화_질문에답하기.zip"
DIALOGUE_ZIP = "TL_02._경상도_03._2인발화.zip"
CONVERSATION_ZIP = "[라벨]경상도_학습데이터_1.zip"
MANY_MEMBERS = 9_000

Member = tuple[str, bytes]


def stem(kind: str, speaker: str, prompt: int, *, script_set: int = 1, code: str = "gs") -> str:
    """
    Return a file name after the grammar of 2022, without its ending.

    Args:
        kind: `st`, `say` or `talk`.
        speaker: Number of the speaker within the region; several are joined by "+".
        prompt: Number of the script, question or topic.
    """
    speakers = "_".join(f"speaker{code}{number}" for number in speaker.split("+"))
    take = "" if kind == "st" else "_0"
    return f"{kind}_set{script_set}_collector{code}1_{speakers}_{prompt}{take}_8"


def document(
    name: str,
    source: str | None,
    target: str | None,
    *,
    dialect: str | None = None,
    province: str | None = "gs",
    **more: Any,
) -> bytes:
    """
    Return a minimal label file whose contents agree with its *name*.

    Args:
        name: Its file name without ending; speakers and prompt are taken from it where it follows the grammar.
        source: The pronunciation, of the whole and of its one sentence.
        target: The standard spelling of both.
        dialect: The dialect spelling of both; None for *source*.
        province: `residenceProvince` of its speakers.
        more: Fields of the document that take the place of its own, or come in addition.
    """
    parts = name.split("_")
    speakers = [part for part in parts if part.startswith("speaker")]
    texts = {"dialect": source if dialect is None else dialect, "pronunciation": source, "standard": target}
    label: dict[str, Any] = {
        "fileName": name,
        "speaker": [{"speakerId": speaker, "residenceProvince": province} for speaker in speakers],
        "script": {
            "scriptId": int(parts[3 + len(speakers)]) if speakers else None,
            "speechType": "Read" if parts[0] == "st" else "Speak",
        },
        "transcription": {"segments": [], "sentences": [texts | {"sentenceId": 1}], **texts},
    }
    return json.dumps(label | more, ensure_ascii=False).encode()


def conversation(
    name: str,
    *utterances: tuple[str | None, str | None, str | float | None],
    category: str | None = "경상방언 > 사적 대화 > 일상 대화",
    **more: Any,
) -> Member:
    """
    Return a label file of 2020 as a member of an archive.

    Args:
        name: Its file name without ending, and its id.
        utterances: (dialect form, standard form, speaker's id) of each.
        category: What its metadata say of it.
        more: Fields of the document that take the place of its own, or come in addition.
    """
    label: dict[str, Any] = {
        "id": name,
        "metadata": {"title": "일상 대화", "category": category},
        "speaker": [{"id": "1", "age": "60대 이상"}, {"id": "2", "age": "50대"}],
        "utterance": [
            {
                "id": f"{name}.{number}",
                "form": spoken,
                "dialect_form": spoken,
                "standard_form": meant,
                "speaker_id": speaker,
            }
            for number, (spoken, meant, speaker) in enumerate(utterances, 1)
        ],
    }
    return f"{name}.json", json.dumps(label | more, ensure_ascii=False).encode()


def member(name: str, source: str | None, target: str | None, **more: Any) -> Member:
    """Return the label file `document` makes as a member of an archive."""
    return f"{name}.json", document(name, source, target, **more)


def sentences(*pairs: tuple[str | None, str | None]) -> dict[str, Any]:
    """Return a transcription with one sentence for each (source, target) of *pairs*; as a whole it is their texts joined."""
    spelled = [{"dialect": source, "pronunciation": source, "standard": target} for source, target in pairs]
    whole = {key: " ".join(one[key] or "" for one in spelled) for key in ("dialect", "pronunciation", "standard")}
    return {"sentences": spelled, **whole}


def zip_bytes(members: Iterable[Member], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of *members*, in their order, the same bytes every time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, FIXED_DATE)
            entry.compress_type = method
            entry.create_system = 3  # Unix, on every system
            archive.writestr(entry, content)
    return file.getvalue()


def write_zip(path: Path, members: Iterable[Member], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip of *members* to *path*, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(members, method))
    return path


def write_parts(path: Path, members: Iterable[Member], cuts: int = 3) -> Path:
    """Write a zip of *members* in *cuts* parts named after *path*, and return the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = zip_bytes(members)
    step = len(content) // cuts + 1
    for start in range(0, len(content), step):
        path.with_name(f"{path.name}.part{start}").write_bytes(content[start : start + step])
    return path.with_name(f"{path.name}.part0")


def write_loose(folder: Path, members: Iterable[Member]) -> Path:
    """Write *members* as files into *folder*, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in members:
        (folder / name).write_bytes(content)
    return folder


def answers(count: int, text: str = "가", first: int = 1) -> Iterator[Member]:
    """Yield *count* label files of answers, each of its own speaker and with its own text."""
    for number in range(first, first + count):
        yield member(stem("say", str(number), 1), f"{text} 묵었나 {number}", f"{text} 먹었니 {number}")


def write_both_generations(folder: Path) -> Path:
    """Write a small corpus of 2020 and 2022: zips, parts, loose files, duplicates and a reject; return *folder*."""
    texts = [(n, f"묵었나 {n % 9}", f"먹었니 {n % 9}") for n in range(1, 12)]
    write_zip(folder / REPEAT_ZIP, [member(stem("st", str(n), n), source, target) for n, source, target in texts])
    write_parts(folder / "Validation" / ANSWER_ZIP.replace("TL", "VL"), answers(30, "나", first=50))
    write_zip(folder / CONVERSATION_ZIP, [conversation("DGDQ20000001", ("뭐 하노", "뭐 하니", "1"))])
    write_loose(folder / "loose", [*answers(3, "다", first=90), ("broken.json", b"{")])
    return folder


def write_many(folder: Path) -> Path:
    """Write an archive of `MANY_MEMBERS` small label files, which is read in three batches, and return *folder*."""
    write_zip(folder / ANSWER_ZIP, answers(MANY_MEMBERS))
    return folder
