"""The Universal Scalability Law, fitted, and its knee where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

FITS = 0.05  # a law whose typical error is larger does not describe the service


@dataclass(frozen=True)
class Scalability:
    """Universal Scalability Law: X(N) = λN / (1 + σ(N − 1) + κN(N − 1)).

    `rate` λ in requests/s at N = 1, `contention` σ, `coherency` κ. `knee`: where throughput peaks,
    with its 95 % interval; None unless the law fits within 5 % and the interval lies inside the
    tested range. `misfit`: the typical relative error of the fit (0.1 = 10 %).
    """

    rate: float
    contention: float
    coherency: float
    misfit: float
    knee: float | None = None
    knee_low: float | None = None
    knee_high: float | None = None

    def throughput(self, concurrency: float) -> float:
        """Requests a second at `concurrency`."""
        n = concurrency
        return self.rate * n / (1 + self.contention * (n - 1) + self.coherency * n * (n - 1))


def scalability(concurrency: Sequence[float], throughput: Sequence[float]) -> Scalability | None:
    """Fit the law on log X (Gunther, Guerrilla Capacity Planning, 2007, ch. 4–6).

    On the log scale a relative error weighs the same at every load. None with fewer than four
    different loads (there are three parameters) or a throughput that is not above zero.
    """
    n, x = np.asarray(concurrency, float), np.asarray(throughput, float)
    if len(set(concurrency)) < 4 or not (x > 0).all() or not (n > 0).all():
        return None

    def residuals(parameters: np.ndarray) -> np.ndarray:
        rate, contention, coherency = parameters
        law = rate + np.log(n) - np.log(1 + contention * (n - 1) + coherency * n * (n - 1))
        return np.asarray(law - np.log(x))

    start = [float(np.log(x / n).max()), 0.01, 1e-5]
    fit = scipy.optimize.least_squares(
        residuals, start, bounds=([-np.inf, 0, 0], [np.inf, 1, 1]), x_scale=[1, 0.01, 1e-5]
    )
    rate, contention, coherency = (float(value) for value in fit.x)
    misfit = math.sqrt(2 * float(fit.cost) / len(n))
    found = Scalability(math.exp(rate), contention, coherency, misfit)
    return _with_knee(found, fit.jac, n)


def _with_knee(found: Scalability, jacobian: np.ndarray, n: np.ndarray) -> Scalability:
    """Add the knee √((1 − σ)/κ), its interval by the delta method on its logarithm."""
    freedom = len(n) - 3
    if freedom < 1 or found.misfit > FITS or found.coherency <= 1e-12 or found.contention >= 1:
        return found
    log_knee = 0.5 * math.log((1 - found.contention) / found.coherency)
    gradient = np.array([0.0, -0.5 / (1 - found.contention), -0.5 / found.coherency])
    variance = found.misfit**2 * len(n) / freedom
    covariance = variance * np.linalg.pinv(jacobian.T @ jacobian)
    error = math.sqrt(max(0.0, float(gradient @ covariance @ gradient)))
    half = error * float(scipy.stats.t.ppf(0.975, freedom))
    if not (math.log(n.min()) <= log_knee - half and log_knee + half <= math.log(n.max())):
        return found
    knee, low, high = (math.exp(log_knee + shift) for shift in (0.0, -half, half))
    return Scalability(found.rate, found.contention, found.coherency, found.misfit, knee, low, high)
