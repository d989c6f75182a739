"""Sentence embeddings without a network: weighted character n-grams, reduced by singular vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


def embed(
    sentences: Sequence[str], known: Sequence[str], width: int = 128, seed: int = 0
) -> NDArray[np.float32]:
    """Return latent semantic vectors (Deerwester et al., 1990) of length 1, or 0 for unseen n-grams only.

    The 20000 most frequent runs of two to four characters within words, weighted by TF-IDF, projected
    onto the leading singular vectors of the known sentences.

    Parameters
    ----------
    sentences
        The n sentences.
    known
        The sentences that weights and projection are fitted to: those for training.
    width
        Numbers per sentence.
    seed
        Of the randomised decomposition.

    Returns
    -------
    array
        Shape (n, width).

    Raises
    ------
    DataError
        If the known sentences have fewer n-grams, or are fewer, than the width.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    counts = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), max_features=20000, sublinear_tf=True, dtype=np.float32
    )
    table = counts.fit_transform(known)
    if min(table.shape) <= width:
        raise DataError(
            f"{table.shape[0]} sentences with {table.shape[1]} n-grams are too few for vectors of {width} "
            "numbers."
        )
    reduced = TruncatedSVD(width, n_iter=4, random_state=seed).fit(table)
    return np.asarray(normalize(reduced.transform(counts.transform(sentences))), dtype=np.float32)
