"""What `make falsify` does to trials: one disturbance a trial, from outside of what is measured."""

from __future__ import annotations

from benchmarks.falsify import limits, programs, stops
from benchmarks.falsify.scene import ITEM, ORDER, Disturbance
from benchmarks.falsify.slower import slower

ALL: tuple[Disturbance, ...] = (
    Disturbance("two programs compute on any core", lambda s: programs.spin(s, count=2)),
    Disturbance(
        "a program computes on the core of the service", lambda s: programs.spin(s, s.core)
    ),
    Disturbance(
        "a program computes on the core of the load", lambda s: programs.spin(s, s.load_core)
    ),
    Disturbance(
        "a program takes half of the core of the service",
        lambda s: programs.spin(s, s.core, duty=0.5),
    ),
    Disturbance(
        "a niced program on the core of the service", lambda s: programs.spin(s, s.core, nice=19)
    ),
    Disturbance(
        "a real-time program on the core of the service",
        lambda s: programs.spin(s, s.core, nice=-1, duty=0.5),
        missing=limits.no_root,
    ),
    Disturbance("the generator stops for 0.7 s", stops.stop_loads),
    Disturbance("the generator stops 6 times for 0.06 s", lambda s: stops.stop_loads(s, 0.06, 6)),
    Disturbance("the service stops for 0.7 s", stops.stop_service),
    Disturbance("the service stops 6 times for 0.06 s", lambda s: stops.stop_service(s, 0.06, 6)),
    Disturbance("one of the workers stops", stops.stop_worker, services=("flask-sync",)),
    Disturbance("a worker is killed", stops.kill_worker, services=("flask-sync",)),
    Disturbance(
        "the kernel kills at a limit of memory",
        limits.memory,
        around=limits.memory_group,
        missing=lambda: limits.no_group("memory"),
    ),
    Disturbance(
        "the service gets slower by 1 % a second",
        around=slower,
        services=("fastapi-async",),
        window_s=20.0,
    ),
    Disturbance("Postgres stops for 0.7 s", stops.stop_postgres, level=ITEM),
    Disturbance("a heavy query of another client", programs.query, level=ITEM),
    Disturbance(
        "the disk of Postgres fills",
        limits.fill_disk,
        services=("fastapi-async",),
        level=ORDER,
        window_s=6.0,  # Postgres has some room ahead
        spoils=True,
        missing=limits.no_disk,
    ),
    Disturbance("four busy connections of another client", programs.ask(0.0)),
    Disturbance("40 requests a second of another client", programs.ask(0.1)),
    Disturbance("everything stops for 10 s", stops.stop_everything),
    Disturbance(
        "the wall clock is set an hour forward", stops.set_clock(1), around=stops.clock_put_right
    ),
    Disturbance(
        "the wall clock is set an hour back", stops.set_clock(-1), around=stops.clock_put_right
    ),
    Disturbance("the wall clock is set for half of the window", stops.set_clock_and_back),
    Disturbance(
        "a quota of half a core around the lab",
        limits.quota,
        missing=lambda: limits.no_group("cpu"),
    ),
    Disturbance("one packet in 100 is lost", limits.lose_packets, missing=limits.no_packet_loss),
    Disturbance("one wrong answer in 1,000", fault="wrong"),
    Disturbance("one answer in 1,000 comes twice", fault="twice"),
    Disturbance("one connection in 1,000 answers is reset", fault="reset"),
    Disturbance("one request in 500 gets no answer", fault="never", one_in=500),
)
