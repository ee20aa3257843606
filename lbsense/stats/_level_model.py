"""The linear model behind the levels: the scores, and how they vary together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from lbsense._typing import BoolArray, FloatArray, IntArray

__all__ = ["Blocks"]

_ROUNDING = 1e-10  # of the largest variance, so that a matrix can be inverted


@dataclass(frozen=True, slots=True)
class Blocks:
    """The linear model: which scores there are, and how they vary together."""

    scores: FloatArray  # (n,)
    design: FloatArray  # (n, levels of the trees and the offset of CV)
    where: IntArray  # (n,) submission behind every score
    noise: FloatArray  # (n, n)
    steps: FloatArray  # (k, k) prior covariance of the true scores about their level
    levels: FloatArray  # (k, columns of design) which level each submission has
    located: BoolArray  # (k,) whether any score tells the level

    @classmethod
    def stack(
        cls,
        public: FloatArray,
        cv: FloatArray,
        root: IntArray,
        *,
        public_noise: FloatArray,
        cv_noise: FloatArray,
        steps: FloatArray,
    ) -> Blocks:
        has_public, has_cv = np.isfinite(public), np.isfinite(cv)
        in_public = np.isin(root, root[has_public])
        anchored = bool(has_cv[in_public].any())  # public scores locate those of CV
        located = in_public | (anchored & np.isin(root, root[has_cv]))
        has_cv &= located
        rows = np.flatnonzero(has_public), np.flatnonzero(has_cv)
        labels = np.unique(root[located])
        levels = (root[:, np.newaxis] == labels).astype(np.float64)
        if rows[1].size:
            levels = np.column_stack([levels, np.zeros(len(root))])
        where = np.concatenate(rows)
        design = levels[where]
        design[len(rows[0]) :, len(labels) :] = 1.0
        noise = np.zeros((len(where), len(where)))
        n_public = len(rows[0])
        noise[:n_public, :n_public] = public_noise[np.ix_(rows[0], rows[0])]
        noise[n_public:, n_public:] = cv_noise[np.ix_(rows[1], rows[1])]
        return cls(
            scores=np.concatenate([public[rows[0]], cv[rows[1]]]),
            design=design,
            where=where,
            noise=noise,
            steps=steps,
            levels=levels,
            located=located,
        )

    def posterior(self, scales: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Return mean and covariance over all scales, and the mean scale."""
        k = len(self.steps)
        if not self.located.any():
            return np.full(k, np.nan), np.full((k, k), np.nan), float("nan")
        fits = [self._given(scale) for scale in scales]
        fit = np.array([log_likelihood for *_, log_likelihood in fits])
        weights = np.exp(fit - fit.max())
        weights /= weights.sum()
        mean = sum(w * m for w, (m, _, _) in zip(weights, fits, strict=True))
        cov = sum(
            w * (v + np.outer(m - mean, m - mean))
            for w, (m, v, _) in zip(weights, fits, strict=True)
        )
        return np.asarray(mean), np.asarray(cov), float(weights @ scales)

    def _given(self, scale: float) -> tuple[FloatArray, FloatArray, float]:
        """Return mean, covariance and restricted log likelihood at one scale."""
        steps = scale * self.steps
        total = self.noise + steps[np.ix_(self.where, self.where)]
        # Scores that determine each other leave nothing but rounding to be inverted.
        total[np.diag_indices_from(total)] += _ROUNDING * np.diag(total).max()
        root = np.linalg.cholesky(total)
        # After this division by the root every score is an independent unit of noise.
        right = np.column_stack([self.scores, self.design, steps[self.where]])
        white = solve_triangular(root, right, lower=True, check_finite=False)
        n_levels = self.design.shape[1]
        y, x, shared = np.split(white, [1, 1 + n_levels], axis=1)
        gram = cho_factor(x.T @ x, lower=True)
        level = cho_solve(gram, x.T @ y)
        residual = y - x @ level
        lever = self.levels - shared.T @ x
        mean = self.levels @ level + shared.T @ residual
        cov = steps - shared.T @ shared + lever @ cho_solve(gram, lever.T)
        log_likelihood = (
            -np.log(np.diag(root)).sum()
            - np.log(np.diag(gram[0])).sum()
            - 0.5 * np.square(residual).sum()
        )
        return mean[:, 0], (cov + cov.T) / 2, float(log_likelihood)
