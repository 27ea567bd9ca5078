"""A page with pyml running in it, for tests that talk to Python in the browser."""

import json
import textwrap

from .patience import patience

BLANK = "/vendor/vega.LICENSE.txt"  # any file of the site that is not a page
START = """async () => {
  const { loadPyml } = await import("/web/pyml.js");
  window.events = [];
  window.pyml = await loadPyml({ status: (event) => { window.events.push(event); } });
  for (const kind of ["stdout", "stderr"]) pyml.on(kind, (text) => window.events.push({ type: kind, text }));
  return pyml.info;
}"""

REMEMBER = "__start__ = {*globals(), '__start__'}"
FORGET = """
import gc, pyml
pyml.config.set_backend('BACKEND')
for name in {*globals()} - __start__ - {"gc"}:
    del globals()[name]
gc.collect()
"""


class PythonPage:
    """Python in a page of the site. `query` is what follows `?` in its address: `backend=cpu&thread=main`."""

    def __init__(self, page, site, query=""):
        self.page = page
        page.goto(f"{site}{BLANK}?{query}")
        page.set_default_timeout(patience())
        self.info = page.evaluate(START)
        page.evaluate("(code) => pyml.runPython(code)", REMEMBER)

    def forget(self):
        """Takes away every name that tests have made, and goes back to the device of the start."""
        self.page.evaluate("(code) => pyml.runPython(code)", FORGET.replace("BACKEND", self.info["backend"]))

    def run(self, code):
        """Runs Python (top-level await works); returns the value of the last line, which JSON must hold."""
        return json.loads(self.page.evaluate("(code) => pyml.runPython(code)", wrap(code)))

    def printed(self):
        return self.page.evaluate('() => events.filter((e) => e.type === "stdout").map((e) => e.text)')


def wrap(code):
    """Sends the last line of `code`, an expression, back as JSON."""
    *body, last = textwrap.dedent(code).strip().split("\n")
    return "\n".join([*body, f"import json\njson.dumps({last})"])
