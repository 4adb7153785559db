"""A process pool that survives the death of one of its processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Self

from lab.contract import errors


class ProcessPool:
    """`size` processes that compute. Use as `with` around the life of the application."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._executor: ProcessPoolExecutor

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    async def run(self, function: Callable[[int], int], argument: int) -> int:
        """`function(argument)` in another process; raises a 503 Fault where that process dies."""
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, function, argument)
        except BrokenProcessPool:
            if executor is self._executor:
                self._start()
            raise errors.unavailable("the process that computed this has died") from None

    def _start(self) -> None:
        # Forked children would inherit the event loop and the metrics of this one.
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(self._size, mp_context=context)
        # All start now, not in a request: each submission starts one while none has become idle.
        for _ in range(self._size):
            self._executor.submit(int)
