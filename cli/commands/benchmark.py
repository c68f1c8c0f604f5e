"""`musc benchmark`: a labelled dataset."""

from planning.requests import BenchmarkRequest


def run(request: BenchmarkRequest) -> None:
    """Score and measure the categories and print the table, then the categories that failed."""
    from cli.process.engines import run_benchmark
    from cli.terminal.progress import watching
    from cli.terminal.tables import show_benchmark
    from flows.pipelines.benchmark import BenchmarkFailedError
    from storage.store import absolute

    store = absolute(request.output)
    try:
        with watching():
            benchmark = run_benchmark(request)
    except BenchmarkFailedError as failure:
        if failure.path:
            show_benchmark(store, failure.path)
        raise
    show_benchmark(store, benchmark.benchmark)
