"""Those who wait for runs in `tests.benchmarks.watching`, each a process of its own; most by its module's name."""
