"""
Claims: one command at a time in a folder of object storage, by conditional writes.

The object `.claims/<number>` of the highest number says who holds the folder. Its holder writes it again every some seconds;
whoever finds it released, or not written for a minute by the clock of the storage, creates the next number, which only one can.
Who has lost a claim sees it before anything is published: a holder that has not been heard of for half a minute asks first.
"""

import os
import platform
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct, structs

from saturi.etl.errors import LockedError, StorageError
from saturi.etl.output.files import storage_errors
from saturi.etl.output.folder import CLAIMS
from saturi.etl.output.printable import printable
from saturi.etl.output.probe import ADVICE, PROBE, probe
from saturi.etl.storage.client import impatient
from saturi.etl.storage.location import ObjectPath

if TYPE_CHECKING:
    from saturi.etl.storage.objects import ObjectFacts

"""The folder of claims; it also says that the folder around it is ours."""

_NUMBER = re.compile(r"\d{8,18}", re.ASCII)
_NAME_LENGTH = 60
_END_SECONDS = 10.0  # for a sign of life that is under way


class Holder(Struct, frozen=True, kw_only=True):
    """
    The content of a claim: who holds the folder.

    `owner` is random, `machine` empty where it is not known which one it is; `beats` counts how often it was written again.
    """

    owner: str
    host: str
    machine: str
    process: int
    since: str
    beats: int = 0
    released: bool = False


_DECODER = msgspec.json.Decoder(Holder)


class _Moment(NamedTuple):
    """A moment by two clocks: one stands still while a laptop sleeps, the other may be set back."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> "_Moment":
        return cls(time.monotonic(), time.time())

    def age(self) -> float:
        """Return how many seconds ago it was, at least."""
        now = _Moment.now()
        return max(now.monotonic - self.monotonic, now.wall - self.wall)


class Claim:
    """
    The claim of this process on *folder*, between `take` and `release`.

    Args:
        folder: What is held.
        beat_seconds: Seconds between two signs of life.
        dead_seconds: Seconds without one after which a claim is taken over.
    """

    def __init__(self, folder: ObjectPath, beat_seconds: float = 10.0, dead_seconds: float = 60.0) -> None:
        self.folder = folder
        self._claims = folder / CLAIMS
        self._beat_seconds, self._dead_seconds = beat_seconds, dead_seconds
        self._holder = Holder(
            owner=secrets.token_hex(16),
            host=platform.node(),
            machine=_machine(),
            process=os.getpid(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._number = 0
        self._heard = _Moment.now()
        self._writing = threading.Lock()
        self._released = threading.Event()
        self._heart = threading.Thread(target=self._live, daemon=True)

    def take(self) -> None:
        """
        Hold the folder.

        Raises:
            LockedError: Another process holds it.
            StorageError: The storage cannot be written to, or cannot be relied on.
        """
        now_ns = probe(self._claims)
        with storage_errors(self.folder, 0):
            there = self._numbers()
            highest = max(there, default=0)
            if highest:
                self._refuse_living(highest, (now_ns - there[highest].modified_ns) / 1e9)
            self._heard = _Moment.now()
            if not self._create(highest + 1):
                raise self._held_by(self._read(highest + 1))
            self._number = highest + 1
            numbers = self._numbers()
            newest = max(numbers, default=0)
            if newest > self._number:  # that one was released since, and this one created anew
                raise self._held_by(self._read(newest))
            if newest < self._number:
                problem = "this storage does not list what was written there a moment ago"
                raise StorageError(str(self.folder), problem, ADVICE)
            for number in numbers:
                if number < self._number:
                    self._path(number).delete()
            self._remove_old_probes(now_ns)
        self._heart.start()

    def release(self) -> None:
        """Let others have the folder, if it is held; where the storage does not answer, they take it over in time."""
        self._released.set()
        if self._heart.ident is not None:
            self._heart.join(_END_SECONDS)
        if not self._number or self._heart.is_alive():  # in a request that does not end
            return
        with self._writing, suppress(OSError), impatient():
            if max(self._numbers(), default=0) > self._number:
                self._path(self._number).delete()
            else:
                self._holder = structs.replace(self._holder, released=True)
                self._path(self._number).write(msgspec.json.encode(self._holder))

    def refuse_loss(self, *, look: bool) -> None:
        """
        Return if the folder is still held.

        Args:
            look: Ask the storage in any case, and not only where the last sign of life is old.

        Raises:
            LockedError: Another process has taken it over.
            StorageError: The storage does not say.
        """
        with self._writing, storage_errors(self.folder, 0):
            if look or self._heard.age() > self._dead_seconds / 2:
                self._beat()

    def _live(self) -> None:
        while not self._released.wait(self._beat_seconds):
            with self._writing, suppress(OSError), impatient():  # whoever publishes asks again
                self._beat()

    def _beat(self) -> None:
        """Write the claim again, unless it is lost."""
        began = _Moment.now()
        if max(self._numbers(), default=0) > self._number:
            problem = "another command has taken it over, as nothing was heard of this one"
            raise LockedError(str(self.folder), problem, "run the same command again when that one has ended")
        self._holder = structs.replace(self._holder, beats=self._holder.beats + 1)
        self._path(self._number).write(msgspec.json.encode(self._holder))
        self._heard = began

    def _refuse_living(self, number: int, silent_seconds: float) -> None:
        holder = self._read(number)
        if holder is not None and (holder.released or _has_ended(holder)):
            return
        if silent_seconds <= self._dead_seconds:
            raise self._held_by(holder)

    def _create(self, number: int) -> bool:
        if self._path(number).create(msgspec.json.encode(self._holder)):
            return True
        there = self._read(number)  # ours, where an answer was lost
        return there is not None and there.owner == self._holder.owner

    def _read(self, number: int) -> Holder | None:
        """Return the content of a claim; None where it is not there any more, or none of ours."""
        try:
            return _DECODER.decode(self._path(number).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _numbers(self) -> "dict[int, ObjectFacts]":
        """Return the numbers of the claims that are there, with the facts of their objects."""
        return {int(path.name): facts for path, facts in self._claims.below() if _NUMBER.fullmatch(path.name)}

    def _path(self, number: int) -> ObjectPath:
        return self._claims / f"{number:08d}"

    def _remove_old_probes(self, now_ns: int) -> None:
        """Remove what commands that were killed at their start have left."""
        for path, facts in self._claims.below():
            if path.name.startswith(PROBE) and (now_ns - facts.modified_ns) / 1e9 > self._dead_seconds:
                path.delete()

    def _held_by(self, holder: Holder | None) -> LockedError:
        facts = ""
        if holder is not None:
            facts = f" (process {holder.process} on {printable(holder.host, _NAME_LENGTH)})"
        advice = f"wait until it ends, or {self._dead_seconds:.0f} s where it was killed, or give another folder"
        return LockedError(str(self.folder), f"another command is writing there{facts}", advice)


class Hold(NamedTuple):
    """The claims of a command; none for a folder on a disk, whose lock cannot be lost."""

    claims: tuple[Claim, ...] = ()

    def refuse_loss(self, *, look: bool = False) -> None:
        """Return if all is still held; see `Claim.refuse_loss`."""
        for claim in self.claims:
            claim.refuse_loss(look=look)


@contextmanager
def claim_on(folder: ObjectPath) -> Iterator[Hold]:
    """Hold *folder* for this process; see `Claim.take`."""
    claim = Claim(folder)
    try:
        claim.take()
        yield Hold((claim,))
    finally:
        claim.release()


def _machine() -> str:
    """Return what no other machine has, nor this one after its next start; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        processes = str(Path("/proc/self/ns/pid").readlink())  # numbers of processes are those of a container
    except OSError:
        return ""
    return sha256(f"{boot} {processes}".encode()).hexdigest()[:16]


def _has_ended(holder: Holder) -> bool:
    """Whether the process of *holder* was one of this machine and is there no more."""
    if not holder.machine or holder.machine != _machine() or holder.process <= 0:
        return False
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
