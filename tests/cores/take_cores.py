"""Runs within gdb: dumps the core of process PID at COUNT moments, up to PAUSE seconds of its running apart.

The environment gives them; the files are DIR/core.0, core.1, ...
"""
import os
import random
import time

import gdb

pid = int(os.environ["PID"])
directory = os.environ["DIR"]
pause = float(os.environ["PAUSE"])
for setting in ("pagination off", "confirm off", "debuginfod enabled off", "auto-solib-add off"):
    gdb.execute("set " + setting)
for i in range(int(os.environ["COUNT"])):
    try:
        gdb.execute(f"attach {pid}", to_string=True)
    except gdb.error:
        break  # it has ended
    gdb.execute(f"generate-core-file {directory}/core.{i}", to_string=True)
    gdb.execute("detach", to_string=True)
    time.sleep(random.uniform(pause / 10, pause))
