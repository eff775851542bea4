"""AI-Hub's lists and details in every form that users have met, and in none."""

import json
import unicodedata
from typing import Any

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.download.inventory import read_inventory
from saturi.etl.download.sentences import sentence_in
from saturi.etl.download.tree import local_name, read_tree
from saturi.etl.output.printable import printable

NARROW = """UTF-8
output normally
modify the character information
    └─139-1.방언 데이터
        └─01-1.정식개방데이터
            ├─Training
            │  ├─01.원천데이터
            │  │  └─TS_1.zip | 24 GB | 530001
            │  └─02.라벨링데이터
            │     └─TL_1.zip | 345 MB | 530002
            └─Validation
                └─02.라벨링데이터
                    └─VL_1.zip (2026-07 비식별화완료) | 1.5 KB | 530003
"""
WIDE = """dataset_001
├── README.txt | 1.5KB | 1
├── data/
│   ├── train/
│   │   ├── file1.txt | 2.3MB | 2
│   │   └── file2.txt | 0 B | 3
│   └── test/
│       └── test.txt | ? | 4
└── metadata.json | 15KB | 5
"""


def test_a_tree_as_the_interface_draws_it() -> None:
    """Folders follow from where a line begins, notes behind a name are left out, and the outermost folder is the title."""
    tree = read_tree(NARROW)
    root = ("139-1.방언 데이터", "01-1.정식개방데이터")
    assert tree.title == root[0]
    assert [(file.folders, file.name, file.number) for file in tree.files] == [
        ((*root, "Training", "01.원천데이터"), "TS_1.zip", 530001),
        ((*root, "Training", "02.라벨링데이터"), "TL_1.zip", 530002),
        ((*root, "Validation", "02.라벨링데이터"), "VL_1.zip", 530003),
    ]


def test_a_tree_with_wide_lines() -> None:
    """A tree as other programs draw it is read alike, with line ends of Windows and in decomposed Hangul, too."""
    expected = [
        ((), "README.txt"),
        (("data_", "train_"), "file1.txt"),
        (("data_", "train_"), "file2.txt"),
        (("data_", "test_"), "test.txt"),
        ((), "metadata.json"),
    ]
    for text in (WIDE, WIDE.replace("\n", "\r\n"), unicodedata.normalize("NFD", WIDE)):
        assert [(file.folders, file.name) for file in read_tree(text).files] == expected


def test_rows_of_any_kind() -> None:
    """A name may hold whatever else ends a line, a file lies as deep as a path may be long, and every other row is counted."""
    deep = "".join(f"{'│  ' * depth}├─a\n" for depth in range(50))
    rows = [
        "TL_a\u2028b.zip | 1 MB | 1",
        "TL_c\x85d.zip | 1 MB | 2",
        "e.zip | 1 MB | x",
        "f.zip | 1 MB",
        "g|h | 2 B | 3",
    ]
    tree = read_tree("".join(f"├─{row}\n" for row in rows) + deep + "│  " * 50 + "└─i.zip | 1 MB | 4")
    assert [(len(file.folders), file.name) for file in tree.files] == [
        (0, "TL_a_u2028b.zip"),
        (0, "TL_c_x85d.zip"),
        (0, "g_h"),
        (50, "i.zip"),
    ]
    assert tree.unread == 2
    long = "".join(f"{'│  ' * depth}├─{'가' * 60}\n" for depth in range(50))
    assert read_tree(long + "│  " * 50 + "└─i.zip | 1 MB | 4")[1:] == ((), 1)


SIZES: dict[str, int | None] = {
    "24 GB": 25 << 30,
    "2.3MB": int(2.4 * (1 << 20)),
    "1.50 KB": int(1.51 * 1024),
    "345 MiB": 346 << 20,
    "512 B": 512,
    "512": 512,
    "1 TB": 2 << 40,
    "?": None,
    "-": None,
    "1e9 GB": None,
    "0 B": 0,
}


@pytest.mark.parametrize(("size", "most_bytes"), SIZES.items(), ids=SIZES)
def test_a_rounded_size(size: str, most_bytes: int | None) -> None:
    """A rounded size stands for at most one more in its last place; what is no size is not known."""
    [file] = read_tree(f"└─x.zip | {size} | 7").files
    assert file.most_bytes == (None if most_bytes is None else pytest.approx(most_bytes, abs=1))


@examples(50)
@given(st.text(alphabet=st.one_of(st.sampled_from("├└─│ |\n\r./\\\0가:"), st.characters()), max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Whatever stands in a list, every name of its is one part of a path that lies where it is put."""
    for file in read_tree(text).files:
        for name in (*file.folders, file.name):
            assert name not in ("", ".", "..")
            assert not set(name) & set('/\\\0<>:"|?*')
            assert printable(name) == name
            assert len(name.encode()) <= 200


@examples(50)
@given(st.text(max_size=400))
def test_any_name_is_local(name: str) -> None:
    """A name made local stays as it is when that is done again, and a zip stays a zip."""
    local = local_name(name)
    assert local_name(local) == local
    assert local_name(f"a{'가' * 100}.zip").endswith(".zip")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["파일 목록", "fileList", "fileSn", "value"]), inner)
    ),
    max_leaves=20,
)


@examples(50)
@given(json_values)
def test_any_detail_is_read(value: Any) -> None:
    """Whatever the details hold, sizes are whole numbers, and nothing fails."""
    inventory = read_inventory(json.dumps(value).encode())
    assert all(type(size) is int and size >= 0 for size in inventory.sizes.values())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 5_000, b"NaN", b"1" * 10_000])
def test_no_detail(content: bytes) -> None:
    """What is no JSON, or nested without end, tells nothing."""
    assert read_inventory(content) == ({}, None)


@given(st.binary(max_size=2_000))
def test_any_body_has_a_sentence(body: bytes) -> None:
    """Whatever bytes are in a body, its sentence is one printable line of bounded length."""
    sentence = sentence_in(body, "key")
    assert printable(sentence) == sentence
    assert len(sentence) <= 301 * 10


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_body_in_another_encoding(encoding: str) -> None:
    """A body is UTF-8, or in the code page of Korean Windows; one cut off within a sign is read up to there."""
    assert sentence_in("<p>승인 유효기간 만료</p>".encode(encoding)) == "승인 유효기간 만료"
    assert sentence_in("승인 만료".encode()[:-1]) == "승인 만"


@pytest.mark.parametrize(
    "body", [b"<" * 100_000, b"<script " * 12_500, b"<script>" * 12_500, b"<style>a<b</style>c" * 5_000]
)
def test_a_body_of_tags(body: bytes) -> None:
    """Tags without an end take no longer than any other text, and scripts are not shown."""
    assert "style" not in sentence_in(body)
