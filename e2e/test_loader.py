"""web/pyml.js: progress, running files, messages, interrupting, and the same face on both threads."""

import json

import pytest

from .patience import until
from .python_page import BLANK, PythonPage


@pytest.fixture(scope="module", params=["backend=cpu", "backend=cpu&thread=main"], ids=["worker", "main thread"])
def python(request, pythons):
    """Python in a page, in a worker and on the main thread."""
    return pythons(request.param)


def test_progress_tells_bytes_and_phases_in_order(python):
    events = python.page.evaluate("() => events")
    assert [e["name"] for e in events if e["type"] == "phase"] == ["download", "start", "ready"]
    loaded = [e["loaded"] for e in events if e["type"] == "download"]
    assert loaded == sorted(loaded) and loaded[-1] > 10_000_000
    assert all(e["loaded"] <= e["total"] for e in events if e["type"] == "download")


def test_a_file_of_the_site_is_run_and_what_it_prints_is_heard(python):
    python.page.route("**/moons.py", lambda route: route.fulfill(body="print('two moons')\n40 + 2"))
    assert python.page.evaluate("() => pyml.run('/moons.py')") == 42
    assert "two moons" in python.printed()


def test_a_missing_file_is_named(python):
    python.page.on("console", lambda message: None)
    answer = python.page.evaluate("() => pyml.run('/nowhere.py').catch((error) => error.message)")
    assert answer == "Could not download /nowhere.py: the server answered 404."


def test_functions_take_and_return_plain_values_and_may_wait(python):
    python.page.evaluate("""() => pyml.runPython(`
import asyncio
async def total(numbers, options):
    await asyncio.sleep(0)
    return {"sum": sum(numbers), "name": options["name"], "lines": [None, {"line": None}]}
`)""")
    answer = python.page.evaluate("async () => JSON.stringify(await pyml.call('total', [1, 2, 3], { name: 'x' }))")
    assert json.loads(answer) == {"sum": 6, "name": "x", "lines": [None, {"line": None}]}
    missing = python.page.evaluate("() => pyml.call('no_such').catch((error) => error.message)")
    assert "no function named no_such" in missing


def test_python_that_is_started_anew_twice_at_once_is_there_once(page, site):
    """As by Stop, pressed where Python has just broken down and is being started."""
    page.goto(f"{site}{BLANK}?backend=cpu")
    told, answer, events = page.evaluate("""async () => {
      const { loadPyml } = await import("/web/pyml.js");
      const events = [], pyml = await loadPyml({ status: (event) => { events.push(event.type); } });
      const first = pyml.restart().catch((error) => error.kind);
      await pyml.restart();
      return [await first, await pyml.runPython("40 + 2"), events];
    }""")
    assert told == "ended" and answer == 42 and "failed" not in events


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_python_that_was_closed_answers_that_it_was(page, site, thread):
    page.goto(f"{site}{BLANK}?backend=cpu&thread={thread}")
    said = page.evaluate("""async () => {
      const { loadPyml } = await import("/web/pyml.js");
      const pyml = await loadPyml({ indexURL: "../pyodide" }); // beside the page's folder, with or without a slash
      pyml.close();
      const said = (name) => pyml[name]("1 + 1").then(String, (error) => `${error.kind}: ${error.message}`);
      return Promise.all(["runPython", "call", "stop"].map(said));
    }""")
    assert said == 3 * ["ended: Python was closed; call loadPyml again."]


def test_an_option_that_is_none_is_refused_with_those_that_are(page, site):
    page.goto(f"{site}{BLANK}")
    said = page.evaluate("""async () => (await import("/web/pyml.js")).loadPyml({ statsu: null }).catch(String)""")
    assert said.startswith('TypeError: loadPyml has no option "statsu". It has worker, status,') and said.endswith("offline, run.")


def test_python_sends_messages_to_the_page(python):
    heard = python.page.evaluate("""async () => {
      const heard = [];
      pyml.on("note", (value) => heard.push(value));
      await pyml.runPython("import pyml_page; pyml_page.post('note', '{\\"a\\": 1}')");
      return heard;
    }""")
    assert heard == [{"a": 1}]


def test_numbers_that_json_has_no_form_for_reach_the_page_as_numbers(python):
    """As every page gets the losses of its training: Python writes NaN and Infinity, and texts with these words stay texts."""
    heard = python.page.evaluate("""async () => {
      const heard = [];
      pyml.on("losses", (value) => heard.push(value));
      await pyml.runPython(`
import json, math, pyml_page
pyml_page.post("losses", json.dumps({"loss": math.nan, "best": [math.inf, -math.inf, 1.5], "said": "NaN, or -Infinity"}))
`);
      const [{ loss, best, said }] = heard;
      return [Number.isNaN(loss), best.map(String), said];
    }""")
    assert heard == [True, ["Infinity", "-Infinity", "1.5"], "NaN, or -Infinity"]


def test_files_written_by_the_page_can_be_imported(python):
    answer = python.page.evaluate("""async () => {
      await pyml.write("helper.py", "value = 7");
      return pyml.runPython("import helper; helper.value");
    }""")
    assert answer == 7


def test_a_python_error_rejects_with_its_traceback(python):
    message = python.page.evaluate("() => pyml.runPython('1 / 0', 'mine.py').catch((error) => error.message)")
    assert "ZeroDivisionError" in message and "mine.py" in message


# how many bytes are kept of Python's memory in a worker, once they are
KEPT = """async () => {
  const cache = await caches.open("pyml-python");
  for (const request of await cache.keys()) {
    if (/-worker-true$/.test(request.url)) return (await (await cache.match(request)).arrayBuffer()).byteLength;
  }
}"""
DAMAGE = """async () => {
  const cache = await caches.open("pyml-python");
  for (const request of await cache.keys()) {
    if (/-worker-true$/.test(request.url)) await cache.put(request, new Response(new Uint8Array(1000)));
  }
}"""


@pytest.mark.slow
def test_without_the_sites_memory_a_second_visit_goes_on_from_its_own_and_a_damaged_one_starts_anew(pythons, profile, site):
    first = pythons("backend=cpu&ready=off")
    until(first.page, f"async () => (await ({KEPT})()) > 1_000_000")
    page, warnings, seeds = profile.new_page(), [], {first.run("hash('text')")}
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    for anew in (False, True):
        if anew:
            page.evaluate(DAMAGE)
        python = PythonPage(page, site, "backend=cpu&ready=off")
        assert python.run("import numpy\nfloat(numpy.ones(3).sum())") == 3
        assert any("starting Python anew" in text for text in warnings) is anew
        seeds.add(python.run("hash('text')"))
        until(page, f"async () => (await ({KEPT})()) > 1_000_000")
    assert len(seeds) == 3
    page.close()


def test_an_interrupt_between_pythons_look_and_its_answer_is_not_lost(pythons):
    heard = pythons("backend=cpu").page.evaluate("""async () => {
      const { bell } = await import("/web/runtime.js");
      const places = new Uint8Array(new SharedArrayBuffer(1));
      const seen = [], bells = bell(places);
      for (const pressed of [0, 2, 0, 0]) {  // pressed after Python read its place and before it writes there
        seen.push(bells[0]);
        if (pressed) places[0] = pressed;
        bells[0] = 0;
      }
      return seen;
    }""")
    assert heard == [0, 0, 2, 0]


def test_an_endless_loop_in_a_worker_can_be_interrupted(pythons):
    python = pythons("backend=cpu")
    answer = python.page.evaluate("""async () => {
      if (!crossOriginIsolated) return "not isolated: nothing to interrupt with";
      const looping = new Promise((resolve) => { pyml.on("looping", resolve); });
      const code = "import pyml_page\\npyml_page.post('looping', '1')\\nwhile True: pass";
      const endless = pyml.runPython(code).catch((error) => error.message);
      await Promise.race([looping, endless]); // where something else ended it, that is the answer
      pyml.interrupt();
      return endless;
    }""")
    assert "KeyboardInterrupt" in answer
    assert python.run("1 + 1") == 2


def test_an_interrupt_that_comes_too_late_ends_neither_its_call_nor_the_next(python):
    python.page.evaluate("() => pyml.runPython('from _thread import interrupt_main as late')")  # heard after it has returned
    assert python.page.evaluate("async () => [await pyml.call('late'), await pyml.runPython('1 + 1')]") == [None, 2]


# Prints lines by the thousand, then asks the page for something: what it hears, in its order.
FLOOD = """async () => {
  const heard = [];
  pyml.on("stdout", (text) => heard.push(text));
  pyml.on("flooded", () => heard.push(null));
  await pyml.runPython("import pyml_page\\nfor i in range(5000): print(i)\\npyml_page.post('flooded', '1')\\nprint('after')");
  return heard;
}"""


def test_very_many_lines_come_together_whole_and_before_what_follows_them(python):
    heard = python.page.evaluate(FLOOD)
    place = heard.index(None)
    assert "\n".join(heard[:place]) == "\n".join(map(str, range(5000))) and heard[place + 1 :] == ["after"]
    assert place < 2500  # a page that is told 5000 times has no time for anything else


def test_a_last_line_without_an_end_is_heard_with_the_call_that_printed_it(python):
    heard = python.page.evaluate("""async () => {
      const before = events.length;
      await pyml.runPython("print('ab', end=' ', flush=True)\\nprint('cd', end='')\\nimport sys; print('é', end='', file=sys.stderr)");
      return events.slice(before).filter(({ type }) => type.startsWith("std")).map(({ type, text }) => `${type} ${text}`);
    }""")
    assert heard == ["stdout ab cd", "stderr é"]


def answered(page, answers, code):
    """What Python says to `code` whose questions the user answers in turn, None by Cancel; and the questions."""
    asked, left = [], list(answers)

    def answer(dialog):
        asked.append(dialog.message)
        text = left.pop(0)
        dialog.dismiss() if text is None else dialog.accept(text)

    page.on("dialog", answer)
    said = page.evaluate("(code) => pyml.runPython(code).catch((error) => error.message)", code)
    page.remove_listener("dialog", answer)
    return said, asked


def test_input_asks_whoever_sits_before_the_page(python):
    code = "name = input('Your name? ')\nage = int(input())\nf'{name} is {age}'"
    said, asked = answered(python.page, ["Ada", "36"], code)
    assert said == "Ada is 36" and asked[0] == "Your name? " and len(asked) == 2
    assert python.printed()[-2:] == ["Your name? Ada", "36"]
    said, _ = answered(python.page, [None], code)
    assert "KeyboardInterrupt" in said and python.run("1 + 1") == 2


def test_without_jspi_input_says_what_to_do_instead_and_other_reading_ends_at_once(pythons):
    python = pythons("backend=cpu&jspi=off")
    said, asked = answered(python.page, [], "input('Your name? ')")
    assert said.strip().endswith("Write the answer into the code instead, such as name = 'Ada'.") and asked == []
    assert python.run("import sys\nsys.stdin.read()") == ""


@pytest.mark.parametrize("thread", ["", "&thread=main"])
def test_many_calls_that_wait_within_python_are_done_in_turn(pythons, thread):
    """Each that waits keeps its place on Python's one stack: a hundred and ten, fifty functions of C deep, overflow it."""
    python = pythons(f"backend=cpu&calls=many{thread}")
    python.run("""
        import asyncio
        from pyodide.ffi import run_sync
        within = [0, 0]
        def deep(n):
            if n:
                return deep(n - 1)
            run_sync(asyncio.sleep(0.01))
        def wait(i):
            within[:] = within[0] + 1, max(within[0] + 1, within[1])
            deep(50)
            within[0] -= 1
            return i
        0""")
    all_at_once = "() => Promise.all(Array.from({ length: 60 }, (_, i) => pyml.call('wait', i)))"
    assert python.page.evaluate(all_at_once) == [*range(60)] and python.run("within") == [0, 8]


WAITERS = """
import asyncio, functools
from pyodide.ffi import run_sync
gates = {}
def deep(n, name):
    if n and name == "reduces":
        return functools.reduce(lambda _, k: deep(k, name), [0, n - 1])
    if n:
        return sorted([n - 1], key=lambda k: deep(k, name)) and None
    gates[name] = asyncio.get_running_loop().create_future()
    run_sync(gates[name])
def waits(name, depth, times):
    for _ in range(times):
        deep(depth, name)
    return name
def go(name):
    gates.pop(name).set_result(None)
async def begun(name):
    while name not in gates:
        await asyncio.sleep(0)
0"""
TURNS = """async () => {
  const calls = {};
  const start = async (name, depth, times = 1) => { calls[name] = pyml.call("waits", name, depth, times); await pyml.call("begun", name); };
  const again = async (name) => { await pyml.call("go", name); await pyml.call("begun", name); };
  const end = async (name) => { await pyml.call("go", name); return calls[name]; };
  await start("first", 0, 4);
  await again("first");
  await start("short", 0);          // begins where the stack of the first ends
  await again("first");
  await start("reduces", 3);        // and so does this one
  const done = [await end("short")];
  await start("sorts", 6);          // writes where the one before it waits
  done.push(await end("reduces"), await end("sorts"));
  await again("first");
  return [...done, await end("first")];
}"""


@pytest.mark.parametrize("thread", ["", "&thread=main"])
def test_of_two_waiting_calls_that_began_at_one_place_of_the_stack_neither_loses_its_frames(pythons, thread):
    python = pythons(f"backend=cpu&calls=many{thread}")
    python.run(WAITERS)
    assert python.page.evaluate(TURNS) == ["short", "reduces", "sorts", "first"]


COLLECTS = """
import gc
class Within:
    def __getattr__(self, name):
        return nested(int(name[1:]), None)
def nested(depth, name):
    if name:
        globals()["named"] = name
    return getattr(Within(), f"n{depth - 1}") if depth else deep(0, named)
def over(n):
    return sorted([n], key=lambda n: over(n - 1)) if n else [0]
def nests(name, depth):
    nested(depth, name)
    over(60)
    for _ in range(50):
        gc.collect(1)
    return name
0"""
COLLECTED = """async () => {
  const start = async (name, depth) => { const call = pyml.call("nests", name, depth); await pyml.call("begun", name); return { call }; };
  const first = await start("first", 0), second = await start("second", 20), done = [];
  for (const [name, { call }] of [["first", first], ["second", second]]) {
    await pyml.call("go", name);
    done.push(await call);
  }
  return done;
}"""


@pytest.mark.parametrize("thread", ["", "&thread=main"])
def test_garbage_is_collected_where_another_call_waits_whose_stack_is_in_use(pythons, thread):
    python = pythons(f"backend=cpu&calls=many{thread}")
    python.run(WAITERS)
    python.run(COLLECTS)
    assert python.page.evaluate(COLLECTED) == ["first", "second"]


ENDLESS = """
import time, pyml_page
def loops():
    end = time.monotonic() + 30
    pyml_page.post("looping", "1")
    while time.monotonic() < end:
        pass
    return "no interrupt"
0"""
STOPS = """async () => {
  if (!crossOriginIsolated) return "not isolated: nothing to interrupt with";
  const stopped = async () => {
    const looping = new Promise((resolve) => { pyml.on("looping", resolve); });
    const loops = pyml.call("loops").catch((error) => error.message.trim().split("\\n").at(-1));
    await Promise.race([looping, loops]);
    pyml.interrupt();
    return loops;
  };
  const start = async (name) => { const call = pyml.call("waits", name, 0, 1); await pyml.call("begun", name); return { call }; };
  const first = await start("first"), second = await start("second"), done = [await stopped()];
  for (const [name, { call }] of [["first", first], ["second", second]]) {  // not the last of them first
    await pyml.call("go", name);
    done.push(await call.catch((error) => error.message));
  }
  return [...done, await stopped(), await pyml.runPython("1 + 1")];
}"""


def test_an_interrupt_ends_what_runs_beside_waiting_calls_and_none_of_them(pythons):
    python = pythons("backend=cpu&calls=many")
    python.run(WAITERS)
    python.run(ENDLESS)
    assert python.page.evaluate(STOPS) == ["KeyboardInterrupt", "first", "second", "KeyboardInterrupt", 2]
