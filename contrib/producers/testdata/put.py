"""Calls spool_put() as an application would: put.py DIR CASE. Exit status 0 when it answered True."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from spool_put import spool_put


class Thrower:
    def __str__(self):
        raise RuntimeError("not today")


loop = {}
loop["loop"] = loop
cases = {
    "small": lambda: {"n": 1},
    "normal": lambda: {"n": 1, "pad": "x" * 70000},
    "batch": lambda: [{"n": 1}, {"n": 2}],
    "bytes": lambda: {"s": b"a\xff\xfeb"},
    "odd": lambda: {"f": float("nan")},
    "empty": lambda: [],
    "scalar": lambda: "text",
    "loop": lambda: loop,
    "throws": lambda: {"t": Thrower()},
    "huge": lambda: {"pad": "x" * (48 << 20)},
}
sys.exit(0 if spool_put(cases[sys.argv[2]](), sys.argv[1]) else 1)
