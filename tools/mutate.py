#!/usr/bin/env python3
"""Changes the code in small ways and counts how many of the changes the tests notice. Not part of CI: it takes a while.

    python tools/mutate.py                        40 changes in each part, 85 % of which must be noticed
    python tools/mutate.py losses optimizers      only these parts
    python tools/mutate.py --each 200 --seed 7    more, or others; the same seed takes the same places
    python tools/mutate.py --minutes 40           as many as there is time for, as long in each part
    python tools/mutate.py compile --in order.py  only in files whose paths hold this text

A change swaps an operator or a comparison, moves a number, negates a condition, drops a statement or edits the WGSL of
an operation. It is made in a copy of the checkout, and the part's quick tests that run its lines follow until one fails: the one
that noticed it before, those that noticed the most others, then the cheapest ones, as many as take `--seconds`
without a change. Which test runs which lines is noted once for every file of tests, under build/mutate/ (`mutating/`). Changes
that survive are printed as a diff: each is a claim nobody tests, or a change that makes no difference. Those of the second kind
stand with the reason in tests/equivalent_mutants.txt, are counted apart and not in the share. Messages, names shown by `explain`
and type annotations are left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Queue

sys.path.insert(0, str(Path(__file__).resolve().parent))
from mutating import code
from mutating.changes import EQUIVALENT, ROOT, Change, changes, equivalents, name_of, old_and_new, sample, source_of
from mutating.lines import MAPS, Tests, digest, fresh, kept_lines
from mutating.workers import Worker, note_lines

LEAST = 0.85
MANY = 8  # tests that noticed the most changes so far, which come first
MAPPED_AT_ONCE = 6  # files of tests that one process notes the lines of


def named(files: str) -> list[str]:
    """`keras/test_calls` for each `keras/calls`."""
    return [f"{folder}{slash}test_{name}" for folder, slash, name in (file.rpartition("/") for file in files.split())]


# What tests a part: files of tests, first the one that meets all of it.
GRAPHS = ["test_op_table", "test_first", "keras/test_optimizers", "test_programs", "test_schedule", "test_explain", "test_index",
          "test_loops", "test_kernel_choices", "test_shared_reductions", "test_budgets", "test_special_values", "test_wasm_device",
          "test_chains", "test_lowering", "test_layouts", "test_plan_file", "test_long_sums", "test_kernel_variants", "test_kernels",
          "test_op_goldens"]  # fmt: skip
SURFACE = ["test_samples", "test_parity", "keras/test_names_and_configs", "keras/test_bad_input", "test_logits", "test_first",
           "keras/test_training", "test_goldens"]  # fmt: skip
PARTS: dict[str, list[str]] = {
    "graph/prims": [*GRAPHS, "test_derivatives", "test_sorting", "test_random_numbers", "test_linalg", "test_fourier", "test_complex",
                    "test_complex_matrices", "keras/test_quantization"],
    "compile": [*GRAPHS, "test_branches_and_loops", "test_eager_steps", "test_kept_programs"],
    **{part: [f"keras/test_{part}", *SURFACE] for part in ("losses", "metrics")},
    "optimizers": ["keras/test_optimizers", "keras/test_more_optimizers", *SURFACE],
    "layers": named("samples goldens attention every_argument keras/layers_and_models keras/more_layers keras/options_of_layers "
                    "keras/preprocessing keras/augmentation keras/recurrent_loops keras/conv_lstm keras/calls keras/symbolic_calls "
                    "keras/unknown_sizes keras/bad_input keras/names_and_configs keras/quantization parity"),
    "models": named("keras/layers_and_models keras/symbolic_calls keras/calls keras/feature_space keras/unknown_sizes keras/reported "
                    "keras/bad_input keras/names_and_configs keras/quantization keras/programs_of_others saving/layer_calls "
                    "saving/kept_objects data/knn data/folders parity"),
    "trainers": named("keras/training keras/fit_histories keras/steps_of_ones_own keras/callbacks_in_both_loops keras/bad_input "
                      "keras/pydataset keras/data_of_others keras/lost_device keras/stop_button keras/paths_and_metrics "
                      "keras/stateless_scope keras/settings data/fit_datasets parity"),
    "callbacks": named("keras/callbacks keras/keeping_callbacks keras/callbacks_in_both_loops keras/goldens_of_keras keras/training "
                       "parity"),
    "saving": named("saving/keras_files saving/keras2_files saving/keras3_files saving/layers_model saving/layer_calls "
                    "saving/control_flow saving/graph_operators saving/kept_objects saving/file_editor saving/io saving/state_dicts "
                    "saving/stores saving/exports saving/hostile_files saving/hostile_archives saving/named_ends saving/nothing_lost "
                    "saving/mutated_files saving/hdf5_forms parity"),
    "utils": named("keras/utils_of_keras keras/stop_button keras/goldens_of_keras keras/settings keras/preprocessing keras/bad_input "
                   "boxes_and_pictures op_goldens images data/folders data/folders_of_keras parity"),
    "ops": named("ops op_goldens op_errors bad_arguments numpy_functions items linalg complex complex_matrices signal fourier sorting "
                 "images boxes_and_pictures attention loops branches_and_loops in_einops sizes dtypes parity"),
    "random": named("random_numbers ops keras/names_and_configs parity"),
    "wrappers": named("keras/sklearn_wrappers parity"),
    "data": named("data/dataset data/stages data/text_and_csv data/csv_findings data/records data/folders data/folders_of_keras "
                  "data/media data/pixels data/fit_datasets parity"),
    "datasets": named("data/data_sets_of_keras parity"),
}  # fmt: skip


@dataclass
class Verdict:
    change: Change
    answer: str  # noticed, survived, equivalent
    by: str = ""
    hung: bool = False
    anew: bool = False
    tests: int = 0  # how many ran it, if all passed
    of: int = 0  # how many could


def examine(change: Change, worker: Worker, part: str, tests: Tests, seconds: float, known: str | None) -> Verdict:
    """Whether the tests notice a change."""

    def timed(names: Iterable[str]) -> list[tuple[str, float]]:
        return [(name, tests.takes[name]) for name in names]

    source = source_of(change.path)
    running: list[str] = []
    where = code.place(source, change.applied(source), str(ROOT / change.path))
    if where is not None:
        found = where[-1][0]
        function = f"{found.co_qualname}:{found.co_firstlineno}"
        running = tests.that_run(change, function)
        if not tests.ran_early(change, function) and (running or tests.sources.get(change.path.as_posix()) == {digest(ROOT / change.path)}):
            if not running:
                return Verdict(change, "survived")
            often = [test for test, _ in Counter([*noticed_by(part).values()]).most_common(MANY) if test in running]
            chosen = tests.cheapest(running, seconds, list(dict.fromkeys([*([known] if known else []), *often])))
            told = worker.fork(change, timed(chosen))
            if told["answer"] != "here not":
                return Verdict(change, told["answer"], told["by"], told["hung"], False, len(chosen), len(running))
    if known in tests.takes:
        told = worker.anew(change, timed([known]))
        if told["answer"] == "noticed":
            return Verdict(change, told["answer"], told["by"] or known, told["hung"], True)
    if running:  # a function that also ran while tests loaded
        near, chosen = running, tests.cheapest(running, seconds)
    else:
        around, others = tests.that_meet(change, PARTS[part][0])
        near = [*around, *others]
        chosen = tests.cheapest(around, seconds)
        chosen += tests.cheapest(others, seconds - sum(tests.takes[test] for test in chosen))
        chosen.sort(key={test: i for i, test in enumerate(near)}.__getitem__)
    told = worker.anew(change, timed(chosen))
    return Verdict(change, told["answer"], told["by"], told["hung"], True, len(chosen), len(near))


def shown(verdict: Verdict) -> str:
    old, new = old_and_new(verdict.change)
    ran = "no test runs it" if not verdict.of else f"{verdict.tests} of {verdict.of} tests that run it passed"
    return f"survived  {verdict.change.path}:{verdict.change.line} ({ran})\n    - {old}\n    + {new}"


def kept_noticed(part: str) -> Path:
    return MAPS / f"noticed-{part.replace('/', '-')}.json"


@cache
def noticed_by(part: str) -> dict[str, str]:
    """Which test noticed a change before: it is the first to meet it again."""
    kept = kept_noticed(part)
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all without names")
    parser.add_argument("--each", type=int, default=40, help="changes in each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--in", dest="within", default="", help="only files whose paths hold this text")
    parser.add_argument("--seconds", type=float, default=40, help="processor time of the tests that a change meets at most")
    parser.add_argument("--minutes", type=float, help="for all parts together, after lines were noted")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--more", action="append", default=[], help="a further file of tests for each part, as keras/test_losses")
    parser.add_argument("--no-gpu", action="store_true", help="leave out the tests that open a GPU adapter, half of the time")
    parser.add_argument("--noted", action="store_true", help="only with the files of tests whose lines are noted")
    parser.add_argument("--verbose", action="store_true", help="name the test that noticed each change")
    options = parser.parse_args(arguments)
    unknown = [p for p in options.parts if p not in PARTS]
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    parts = options.parts or list(PARTS)
    kinds = (False,) if options.no_gpu else (False, True)
    listed = equivalents(EQUIVALENT.read_text(encoding="utf-8"))
    caught = made = 0
    with tempfile.TemporaryDirectory() as folder:
        workers: Queue[Worker] = Queue()
        for i in range(options.jobs):
            workers.put(Worker(Path(folder).resolve() / str(i)))
        those = list(workers.queue)
        for gpu in kinds:
            named = [] if options.noted else dict.fromkeys(file for part in parts for file in [*PARTS[part], *options.more])
            wanted = [file for file in named if not fresh(file, gpu)]
            for i in range(0, len(wanted), MAPPED_AT_ONCE):
                names = wanted[i : i + MAPPED_AT_ONCE]
                print(f"noting which lines they run{' on a GPU' if gpu else ''}: {', '.join(names)}", file=sys.stderr, flush=True)
                note_lines(list(PARTS), names, gpu, those[0].place)
        for part in parts:
            start = time.monotonic()
            tests = Tests()
            files = [file for file in [*PARTS[part], *options.more] if fresh(file, False)]
            for file in files:
                for gpu in kinds:
                    if fresh(file, gpu):
                        tests.read(kept_lines(file, gpu))
            if tests.failing:
                print(f"mutate: left out, for they fail without any change: {', '.join(tests.failing)}", file=sys.stderr)
            for worker in those:
                worker.serve(part, files)
            every = [change for change in changes(part) if options.within in change.path.as_posix()]
            chosen = sample(every, options.each, options.seed)
            until = start + 60 * options.minutes / len(parts) if options.minutes else float("inf")

            def examined(change: Change, part: str = part, tests: Tests = tests, until: float = until) -> Verdict | None:
                if time.monotonic() > until:
                    return None
                if any(each.is_of(change) for each in listed):
                    return Verdict(change, "equivalent")
                worker = workers.get()
                try:
                    return examine(change, worker, part, tests, options.seconds, noticed_by(part).get(name_of(change)))
                finally:
                    workers.put(worker)

            count = {"noticed": 0, "survived": 0, "equivalent": 0}
            hung = 0
            with ThreadPoolExecutor(options.jobs) as pool:
                for verdict in pool.map(examined, chosen):
                    if verdict is None:
                        continue
                    count[verdict.answer] += 1
                    hung += verdict.hung
                    if verdict.answer == "survived":
                        print(shown(verdict), flush=True)
                    elif verdict.answer == "noticed":
                        noticed_by(part)[name_of(verdict.change)] = verdict.by
                        kept_noticed(part).write_text(json.dumps(noticed_by(part), indent=0), encoding="utf-8")
                        if options.verbose:
                            how = f"{'hung in ' if verdict.hung else ''}{verdict.by}{' anew' if verdict.anew else ''}"
                            print(f"noticed   {verdict.change.path}:{verdict.change.line} {how}", flush=True)
            for worker in those:
                worker.close()
            real = count["noticed"] + count["survived"]
            caught, made = caught + count["noticed"], made + real
            print(f"{part:12} seed {options.seed}: {real + count['equivalent']} of {len(every):,} possible changes; "
                  f"{count['noticed']} noticed ({hung} hang), {count['equivalent']} equivalent, {count['survived']} survived: "
                  f"{count['noticed'] / max(1, real):.0%}; {time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
    share = caught / max(1, made)
    print(f"mutate: {caught} of {made} changes noticed, {share:.1%}; at least {LEAST:.0%} are wanted")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
