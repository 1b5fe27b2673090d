"""agreement.py BUILD COUNT [PROGRAM...]: our stacks beside gdb's, of the same core dumps.

For each program (see programs.py) COUNT cores are taken while it works, and the stack of each of their
threads is walked by our rows (core_stacks) and by gdb. A line for each program:

    xz               30 stacks,   0 differ,   0 guessed,  30 rooted

"guessed" are stacks in which frames without CFI were passed. There gdb takes the word at rsp for a return
address, which says nothing: such stacks are compared up to the first address that was guessed. Of what
differs each stack is shown. Exit status 1: one stack in 200 or more differs; 77: nothing was compared.
"""
import glob
import os
import subprocess
import sys
import tempfile
import time

from programs import PROGRAMS, prepared

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def gdb(script, arguments, **environment):
    done = subprocess.run(["gdb", "-nx", "-batch", "-x", f"{HERE}/{script}", *arguments], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", env=dict(os.environ, **environment))
    return done.stdout


def take_cores(program, work, directory, count):
    """Some cores of one life of the program; its load, if it needs one, goes on meanwhile."""
    running = subprocess.Popen(program.command(work), cwd=work, **QUIET)
    time.sleep(0.3)
    loads = program.load(work)
    load = subprocess.Popen(loads[0], cwd=work, **QUIET) if loads else None
    gdb("take_cores.py", [], PID=str(running.pid), DIR=directory, COUNT=str(count), PAUSE="0.1")
    for process in (running, load):
        if process:
            process.kill()
            process.wait()


def stacks_of(text, directory):
    """{(core, thread): (end, [address, ...])}"""
    lines = (line.split() for line in text.splitlines() if line.startswith(directory))
    return {(core, tid): (end, addresses) for core, tid, end, *addresses in lines}


class Agreement:
    def __init__(self):
        self.stacks = self.differ = self.guessed = self.rooted = 0
        self.examples = []

    def add(self, ours, theirs):
        for key, (end, marked) in ours.items():
            addresses = [address.rstrip("?!") for address in marked]
            known = next((i for i, address in enumerate(marked) if "?" in address), len(marked))
            is_guessed = known < len(marked) or end in ("no-rule", "zero-frame")
            other = theirs.get(key, ("", []))[1]
            self.stacks += 1
            self.guessed += is_guessed
            self.rooted += end in ("rooted", "zero-frame")
            if is_guessed:
                addresses, other = addresses[:known], other[:known]
            if addresses != other:
                self.differ += 1
                self.examples.append((end, marked, other))

    def show_example(self, example):
        end, marked, other = example
        at = next((i for i, (a, b) in enumerate(zip(marked, other)) if a.rstrip("?!") != b),
                  min(len(marked), len(other)))
        print(f"    ours ({len(marked)} frames, {end}) and gdb's ({len(other)}) differ from frame {at}: "
              f"... {' '.join(marked[max(0, at - 2):at + 4])} beside ... {' '.join(other[max(0, at - 2):at + 4])}")

    def show(self, name):
        print(f"{name:22} {self.stacks:4} stacks, {self.differ:3} differ, {self.guessed:3} guessed, "
              f"{self.rooted:4} rooted", flush=True)
        for example in self.examples[:5]:
            self.show_example(example)


def measure(build, program, work, count):
    """The agreement over about `count` cores of a program; those of a large one are not kept side by side."""
    agreement = Agreement()
    taken = tries = 0
    while taken < count and tries < count:
        tries += 1
        with tempfile.TemporaryDirectory(prefix="cprof-cores.") as directory:
            take_cores(program, work, directory, min(4, count - taken))
            cores = sorted(glob.glob(directory + "/core.*"))
            ours = subprocess.run([build + "/core_stacks", *cores], check=True, encoding="ascii",
                                  stdout=subprocess.PIPE).stdout
            theirs = gdb("gdb_stacks.py", [os.path.realpath(program.command(work)[0])], DIR=directory)
            agreement.add(stacks_of(ours, directory), stacks_of(theirs, directory))
            taken += len(cores)
    return agreement


def main():
    build, count, names = os.path.abspath(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(PROGRAMS)
    stacks = differ = 0
    with prepared() as work:
        for name in names:
            if not PROGRAMS[name].command:
                print(f"{name:22} is not installed")
                continue
            agreement = measure(build, PROGRAMS[name], work, count)
            agreement.show(name)
            stacks += agreement.stacks
            differ += agreement.differ
    print(f"{stacks} stacks, {differ} differ")
    if stacks == 0:
        sys.exit(77)
    sys.exit(differ * 200 >= stacks)


if __name__ == "__main__":
    main()
