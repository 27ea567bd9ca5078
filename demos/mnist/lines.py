"""Runs the text of a file such as model.py, and says what is wrong with it and in which line."""

import builtins
import contextlib
import difflib
import sys
import traceback

import pyml

FILE = "model.py"
KERAS = ("keras", "tensorflow", "tf_keras")
HINT = "pyml has the API of Keras 3 and stands in its place here: write `from pyml import layers`, or `import pyml as keras`."

HERE = "A page has Python's own modules, numpy and pyml; pyml.vis draws, pyml.data reads tables and files."


class Lines:
    """The text of a file, and where in it each layer was made."""

    def __init__(self, source, file=FILE):
        self.source, self.file = source, file
        self.made = {}  # layer -> line

    def build(self):
        """Runs the text and calls its `build_model()`."""
        namespace = {"__name__": "model"}
        with self.watching():
            exec(compile(self.source, self.file, "exec"), namespace)
            if not callable(namespace.get("build_model")):
                raise ValueError("model.py must define build_model() and return a compiled model from it.")
            model = namespace["build_model"]()
        if model is None:
            raise ValueError("build_model() returned None; end it with `return model`.")
        if not isinstance(model, pyml.Model):
            raise ValueError(f"build_model() returned {type(model).__name__}; it must return a model.")
        return model

    @contextlib.contextmanager
    def watching(self):
        """While the block runs, each layer's line is noted, and errors keep pyml's own frames: in these `line` finds the layer."""
        begin = pyml.Layer.__init__
        shortens = pyml.config.is_traceback_filtering_enabled()

        def noted(layer, *args, **kwargs):
            begin(layer, *args, **kwargs)
            frame = sys._getframe()
            while frame is not None and frame.f_code.co_filename != self.file:
                frame = frame.f_back
            if frame is not None:
                self.made[id(layer)] = frame.f_lineno

        pyml.Layer.__init__ = noted
        pyml.config.disable_traceback_filtering()
        try:
            yield
        finally:
            pyml.Layer.__init__ = begin
            if shortens:
                pyml.config.enable_traceback_filtering()

    def explain(self, error):
        """What a reader of the file can act on: `text` in a sentence or two, and its `line` (None where it is in none)."""
        text = "".join(traceback.format_exception_only(error)).strip().removeprefix(f"{type(error).__module__}.")
        if "Did you mean" not in text and (meant := likely(error)):
            text = f"{text.rstrip('.')}. Did you mean: {meant!r}?"
        if isinstance(error, SyntaxError) and error.filename == self.file:
            return {"text": f"{type(error).__name__}: {error.msg}", "line": error.lineno}
        if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in KERAS:
            text = f"{text.splitlines()[0]}\n{HINT}"
        elif isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("pyml"):
            text = f"{text}\n{HERE}"
        return {"text": text, "line": self.line(error.__traceback__)}

    def line(self, trace):
        """The line of the file that raised; where a layer did that was made there, the line that made it."""
        found = None
        while trace is not None:
            frame = trace.tb_frame
            layer = frame.f_locals.get("self")
            if frame.f_code.co_filename == self.file:
                found = trace.tb_lineno
            elif isinstance(layer, pyml.Layer) and not isinstance(layer, pyml.Model) and id(layer) in self.made:
                found = self.made[id(layer)]
            trace = trace.tb_next
        return found


def likely(error):
    """The name that was probably meant, where one is misspelt; newer Pythons say so themselves."""
    if isinstance(error, AttributeError) and error.name is not None:
        known = dir(error.obj)
    elif isinstance(error, NameError) and error.name is not None and error.__traceback__ is not None:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        known = [*frame.f_locals, *frame.f_globals, *dir(builtins)]
    else:
        return None
    return next(iter(difflib.get_close_matches(error.name, known, 1)), None)
