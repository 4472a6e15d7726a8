"""Seat images as arrays: per seat one 32-bit word for every 32 legs, a bit a leg."""

import numpy as np
from numpy.typing import NDArray

from reservations.availability.stretches import WORD_BITS
from reservations.availability.train_plan import TrainPlan

Words = NDArray[np.uint32]
Ints = NDArray[np.int64]


def words_of(image: bytes, train: TrainPlan) -> Words:
    """A string of the image as uint32 words, (places, words); bytes that are missing are 0."""
    flat = np.zeros(train.places * train.words, dtype="<u4")
    given = np.frombuffer(image[: min(len(image), flat.nbytes) & ~3], dtype="<u4")
    flat[: given.size] = given
    return flat.reshape(train.places, train.words)


def no_words(train: TrainPlan) -> Words:
    """An image in which every leg of every seat is free."""
    return np.zeros((train.places, train.words), dtype="<u4")


def set_legs(words: Words, ordinals: Ints, from_stops: Ints, to_stops: Ints) -> None:
    """Set legs [from_stops[i], to_stops[i]) of seat ordinals[i], for all i; seats may repeat."""
    if not ordinals.size:
        return
    first = np.arange(words.shape[1]) * WORD_BITS
    starts = np.clip(from_stops[:, None] - first, 0, WORD_BITS).astype(np.uint64)
    ends = np.clip(to_stops[:, None] - first, 0, WORD_BITS).astype(np.uint64)
    one = np.uint64(1)
    masks = ((one << ends) - one) & ~((one << starts) - one)
    np.bitwise_or.at(words, ordinals, masks.astype(np.uint32))
