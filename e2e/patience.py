"""How long a page is waited for.

Nothing here says how fast a machine is: what a test waits for may come as late as the test's own limit allows. It is a tenth
less than that, so that a page that hangs is told by what was waited for, and not by pytest's end of the test.
"""

_test = 300.0  # seconds that the test that runs now may take


def of_a_test(seconds: float) -> None:
    """Says how long the next test may take."""
    global _test
    _test = seconds or 3600.0  # 0: without a limit


def patience() -> float:
    """Milliseconds, for `page.set_default_timeout`."""
    return 900 * _test


def until(page, asked, arg=None):
    """Waits until an asynchronous JavaScript function gives something true. `wait_for_function` takes its promise for that."""
    page.evaluate(f"""async (arg) => {{
      while (!(await ({asked})(arg))) await new Promise((resolve) => {{ setTimeout(resolve, 100); }});
    }}""", arg)
