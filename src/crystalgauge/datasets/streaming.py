"""Sets of shards larger than the memory, and the order in which samples are shown."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from crystalgauge.datasets.shards import (
    Sample,
    ShardSet,
    load_shard,
    pictures_in,
    sample_at,
    shard_paths,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Samples

HELD_SHARDS = 12
"""Shards in memory at a time: 3072 pictures are mixed with each other."""

MEMORY_BYTES = 6 * 2**30
"""Sets up to this size are read whole."""


@runtime_checkable
class Ordered(Protocol):
    """Samples that know in which random order they are read fastest."""

    def order(self, rng: np.random.Generator) -> Iterator[int]:
        """Yield every index once."""


def shuffled(samples: Samples, rng: np.random.Generator) -> Iterator[int]:
    """Yield every index of the samples once, in random order.

    Parameters
    ----------
    samples
        Any set; one that is `Ordered` says how.
    rng
        Source.
    """
    if isinstance(samples, Ordered):
        yield from samples.order(rng)
    else:
        yield from (int(index) for index in rng.permutation(len(samples)))


def open_shards(folder: Path, *, memory_bytes: int = MEMORY_BYTES) -> ShardSet | StreamedShards:
    """Read a folder of shards whole if it fits, piece by piece otherwise.

    Parameters
    ----------
    folder
        Where `write_shards` wrote.
    memory_bytes
        How large the files may be together to be read whole.

    Raises
    ------
    ReadError
        When the folder holds no shards, or a damaged one.
    """
    size = sum(path.stat().st_size for path in shard_paths(folder))
    return ShardSet(folder) if size <= memory_bytes else StreamedShards(folder)


class StreamedShards:
    """The samples of a folder of shards of which a few are in memory at a time.

    Parameters
    ----------
    folder
        Where `write_shards` wrote.
    held
        How many shards are kept; those used last stay.

    Raises
    ------
    ReadError
        When the folder holds no shards, or a damaged one.
    """

    def __init__(self, folder: Path, held: int = HELD_SHARDS) -> None:
        self._paths, self._held = shard_paths(folder), held
        self._starts = np.cumsum([0, *(pictures_in(path) for path in self._paths)])
        self._cache: OrderedDict[int, dict[str, NDArray[Any]]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return sample_at(self._shard(which), index - int(self._starts[which]))

    def _shard(self, which: int) -> dict[str, NDArray[Any]]:
        if which not in self._cache:
            while len(self._cache) >= self._held:
                self._cache.popitem(last=False)
            self._cache[which] = load_shard(self._paths[which])
        self._cache.move_to_end(which)
        return self._cache[which]

    def order(self, rng: np.random.Generator) -> Iterator[int]:
        """Yield every index once: shards in random order, those held together well mixed.

        Parameters
        ----------
        rng
            Source.
        """
        shards = rng.permutation(len(self._paths))
        for first in range(0, len(shards), self._held):
            group = shards[first : first + self._held]
            rows = [np.arange(self._starts[k], self._starts[k + 1]) for k in group]
            yield from (int(index) for index in rng.permutation(np.concatenate(rows)))


class Joined:
    """Several sets of samples as one.

    Parameters
    ----------
    parts
        In the order in which they are counted.
    """

    def __init__(self, parts: Sequence[Samples]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._parts[which][index - int(self._starts[which])]

    def order(self, rng: np.random.Generator) -> Iterator[int]:
        """Yield every index once, the parts evenly mixed and each in its own best order.

        Parameters
        ----------
        rng
            Source.
        """
        turns = rng.permutation(np.repeat(np.arange(len(self._parts)), np.diff(self._starts)))
        orders = [shuffled(part, child) for part, child in
                  zip(self._parts, rng.spawn(len(self._parts)), strict=True)]  # fmt: skip
        for which in turns:
            yield int(self._starts[which]) + next(orders[which])
