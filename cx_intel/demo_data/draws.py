"""Random numbers of the synthetic worlds: one fresh generator for each seed, subject and moment.

What belongs here is how randomness is keyed; what is drawn from it belongs to the module of that subject. A
generator's first n numbers do not depend on how many are drawn after them, so accounts that sign up later
leave earlier ones as they are. The days and months that serve as keys come from `timeline`.
"""

from __future__ import annotations

import zlib

import numpy as np

_WORD = 0xFFFFFFFF


def generator(seed: int, subject: str, *moment: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments.

    `subject` names what is drawn ("fleet.life"), `moment` the month or day it is drawn for. Draw scalars of
    one distribution per generator, or a row of fixed length per account, so that entry i stays the same
    whatever follows.
    """
    words = [seed, zlib.crc32(subject.encode()), *(part & _WORD for part in moment)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))
