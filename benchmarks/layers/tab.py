"""A browser tab that runs rows when it is told to, as a `worker.Worker` does: pyml in Pyodide."""

import contextlib
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

_START = """async ([files, threads]) => {
  const { loadPyodide } = await import('/site/pyodide/pyodide.mjs');
  const py = window.py = await loadPyodide({ indexURL: '/site/pyodide/' });
  await py.loadPackage(['numpy', 'pyml']);
  py.runPython(`import os; os.environ['PYML_WASM_THREADS'] = '${threads}'`);
  await py.runPythonAsync("import pyml; await pyml.config.init_async('wasm')");
  for (const [name, text] of Object.entries(files)) py.FS.writeFile(`${name}.py`, text);
  py.runPython('import json, sys; sys.path.insert(0, "."); import rows');
  return py.runPython('pyml.config.describe()');
}"""
_SAY = "code => py.runPython(code)"


class Tab:
    """Chromium with the built site of this checkout, where pyml may use so many `threads`."""

    def __init__(self, threads):
        import beside

        from pyml import paths
        from pyml.cli.browser import chromium
        from pyml.cli.build import build_site

        build_site(paths.site_dir(), say=lambda text: None)
        self.open = contextlib.ExitStack()
        url = self.open.enter_context(beside.served({}))
        self.page = self.open.enter_context(chromium()).new_page()
        self.page.goto(f"{url}query")
        self.about = self.page.evaluate(_START, [{name: (HERE / f"{name}.py").read_text() for name in ("data", "rows")}, threads])
        self.processes = list(_renderers())

    def ask(self, line):
        if line != "step":
            self.page.evaluate(_SAY, f"made = rows.ROWS[{line!r}]()\nNone")
        wall, processor = time.perf_counter(), self.processor()
        self.page.evaluate(_SAY, "made.step()\nNone")
        times = [time.perf_counter() - wall, self.processor() - processor]
        if line == "step":
            return times
        return {"first": times, "values": self.page.evaluate("() => py.runPython('made.values()[:1000].tolist()').toJs()")}

    def processor(self):
        """Seconds that the processors worked for the page."""
        threads = (thread for process in self.processes for thread in Path(f"/proc/{process}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def close(self):
        self.open.close()


def _renderers():
    """Numbers of the processes that show pages of browsers that this process started."""
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and "--type=renderer" in (folder / "cmdline").read_text():
                above = int(folder.name)
                while above not in (0, os.getpid()):
                    above = int(Path(f"/proc/{above}/stat").read_text().rpartition(")")[2].split()[1])
                if above:
                    yield int(folder.name)
