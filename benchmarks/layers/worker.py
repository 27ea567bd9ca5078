"""A process that makes rows and runs their steps when it is told to, so that several libraries take turns."""

import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def serve(rows, about):
    """Answers each line of standard input with one of standard output: a row's name with its first values, `step` with times.

    A time is `[seconds by the clock, seconds of all processors for this process]`.
    """
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print does not disturb
    say = lambda what: print(json.dumps(what), file=out, flush=True)
    say(about)
    made = None
    for line in sys.stdin:
        name = line.strip()
        made = made if name == "step" else rows[name]()
        wall, processor = time.perf_counter(), time.process_time()
        made.step()
        times = [time.perf_counter() - wall, time.process_time() - processor]
        say(times if name == "step" else {"first": times, "values": [float(value) for value in made.values()[:1000]]})


class Worker:
    """One such process: `python` runs `script` of this folder."""

    def __init__(self, python, script, environment=None):
        command, pipe = [python, str(HERE / script)], subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}; what it said stands above.")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
