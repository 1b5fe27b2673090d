"""bench.py BUILD BIN [FIGURE...]: the figures of cprof, measured beside perf in the same run.

Every figure says what it measured, what it is measured against, and what was hoped for. Commands that
are compared run in turn (A B C A B C ...), and the ratio is that of their medians. No figure is a
test: timings vary, and only people judge them.
"""
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../cores")
from agreement import measure as measure_agreement  # pylint: disable=wrong-import-position
from programs import PROGRAMS, prepared  # pylint: disable=wrong-import-position

BUILD, BIN = (os.path.abspath(path) for path in sys.argv[1:3])
CPROF = BIN + "/cprof"
SAMPLES = BUILD + "/samples/"
BENCH = BUILD + "/bench/"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
FIGURES = []


def figure(function):
    FIGURES.append(function)
    return function


def run(*command, **options):
    """Wall seconds, CPU seconds (user + system) and output of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", **options)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done


def info(profile):
    """The fields of `cprof info`: {"elapsed": "0.556784 s", ...}."""
    text = run(CPROF, "info", profile)[2].stdout
    return dict(m.groups() for m in re.finditer(r"^  (\S.*?)  +(\S.*)$", text, re.M))


def number(text):
    return float(text.split()[0])


def folded(profile, metric):
    """{tuple of frames, root first: value}; times are in microseconds"""
    text = run(CPROF, "flame", "--folded", "-m", metric, profile)[2].stdout
    stacks = {}
    for line in text.splitlines():
        stack, value = line.rsplit(" ", 1)
        stacks[tuple(stack.split(";"))] = stacks.get(tuple(stack.split(";")), 0) + int(value)
    return stacks


def compare(title, commands, rounds=None, measure=lambda result: result[0]):
    """Runs named commands in turn; prints the median of each and its ratio to the first."""
    times = {name: [] for name in commands}
    for _ in range(rounds or ROUNDS):
        for name, command in commands.items():
            result = run(*command)
            if result[2].returncode != 0:
                print(f"   {name}: failed: {result[2].stderr.strip()[:200]}")
            times[name].append(measure(result))
    first = statistics.median(times[next(iter(commands))])
    print(f"   {title}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"   {name:34} {median:9.4f} s   {median / first:6.3f} x   "
              f"({min(values):.4f} to {max(values):.4f})")
    return {name: statistics.median(values) for name, values in times.items()}


def perf_record(*options):
    return ["perf", "record", "-q", "-o", "perf.data", "-F", "999", *options]


@figure
def distribution():
    """shares of a program whose leaves take exactly 50, 30 and 20 %: 10 runs"""
    truth = {"leaf_half": 0.5, "leaf_third": 0.3, "leaf_fifth": 0.2}
    deviations = {name: [] for name in truth}
    outside = 0
    for _ in range(10):
        run(CPROF, "run", "-q", SAMPLES + "nofp", "2")
        stacks = folded("out.prof", "cpu")
        samples = sum(folded("out.prof", "samples").values())
        total = sum(stacks.values())
        for name, share in truth.items():
            found = sum(v for s, v in stacks.items() if name in s) / total
            error = math.sqrt(share * (1 - share) / samples)
            deviations[name].append((found - share) / error)
            outside += abs(found - share) > 3 * error
    for name, values in deviations.items():
        print(f"   {name:12} mean deviation {statistics.mean(values):+.2f} standard errors "
              f"(by chance within +-0.63), largest {max(map(abs, values)):.2f}")
    print(f"   outside three standard errors: {outside} of 30 (hoped: 0)")


@figure
def cpu_total():
    """the CPU total beside the program's own rusage (hoped: within 1 %)"""
    for name, command in {"one thread": [SAMPLES + "nofp", "2"], "threads": [SAMPLES + "threads"],
                          "xz": ["xz", "-9", "-k", "-c", shutil.which("perf") or CPROF],
                          "python3": ["/usr/bin/python3", "-c", "print(sum(i*i for i in range(12000000)))"]}.items():
        run(CPROF, "run", "-q", *command)
        fields = info("out.prof")
        usage = number(fields["user"]) + number(fields["system"])
        total = sum(folded("out.prof", "cpu").values()) / 1e6
        print(f"   {name:12} rusage {usage:.3f} s, profile {total:.3f} s: {100 * (total / usage - 1):+.2f} %")


@figure
def rooted():
    """stacks that reach main or the thread's start (hoped: 99.9 % on -O2 programs without frame pointers)"""
    source = "sum(hash(str(i)) for i in range(1500000))"
    sql = "with recursive c(x) as (select 1 union all select x+1 from c where x<3000000) select sum(x*x%7) from c;"
    programs = {"nofp": [SAMPLES + "nofp", "2"], "recursion": [SAMPLES + "recursion"],
                "complicated": [SAMPLES + "complicated"], "threads": [SAMPLES + "threads"],
                "segment v2": [BIN + "/segment", "v2"],
                "xz": ["xz", "-9", "-k", "-c", CPROF], "python3": ["/usr/bin/python3", "-c", source],
                "sqlite3": ["sqlite3", ":memory:", sql],
                "gcc": ["gcc", "-O2", "-c", "-x", "c", "-o", "/dev/null", "big.c"]}
    with open("big.c", "w", encoding="ascii") as out:
        for i in range(400):
            out.write(f"int f{i}(int *a, int n) {{ int s = {i}; for (int i = 0; i < n; i++) "
                      f"for (int j = 0; j < i; j++) s += a[i] * a[j] % (j + {i + 1}); return s; }}\n")
    print(f"   {'':14}{'cprof':>10}{'perf -g':>12}{'perf dwarf':>12}{'bytes a sample: cprof, perf dwarf':>38}")
    for name, command in programs.items():
        run(CPROF, "run", "-q", *command)
        text = run(CPROF, "info", "out.prof")[2].stdout
        ours = re.search(r"^  rooted +([\d.]+) %", text, re.M)
        samples = sum(folded("out.prof", "samples").values())
        size = os.path.getsize("out.prof")
        others = []
        for options in (["-g"], ["--call-graph", "dwarf"]):
            run(*perf_record(*options), "--", *command)
            others.append(perf_rooted())
        perf_size = os.path.getsize("perf.data") / max(1, others[1][1])
        print(f"   {name:14}{ours.group(1) + ' %':>10}{others[0][0]:>10.1f} %{others[1][0]:>10.1f} %"
              f"{size / max(1, samples):>28.1f}, {perf_size:.0f}")


def with_load(program, work, command):
    """Runs a command; a server gets its load meanwhile, which ends it."""
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for load in program.load(work):
        time.sleep(0.5)
        subprocess.run(load, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
    running.wait()


def stacks_row(name, program, work):
    command, out = program.command(work), os.getcwd() + "/out.prof"
    with_load(program, work, [CPROF, "run", "-q", "-o", out, *command])
    fields = info(out)
    samples = sum(folded(out, "samples").values())
    guessed, completed, restored = (
        100 * number(fields[field].replace(",", "").replace("-", "0")) / max(1, samples)
        for field in ("heuristic samples", "completed samples", "restored samples"))
    with_load(program, work, [*perf_record("--call-graph", "dwarf"), "--", *command])
    theirs, _ = perf_rooted()
    agreement = measure_agreement(BUILD, program, work, 4)
    print(f"   {name:24}{samples:>8.0f}{number(fields['rooted']):>10.1f} %{guessed:>8.1f} %{completed + restored:>8.1f} %{theirs:>10.1f} %"
          f"{agreement.stacks - agreement.differ:>8} of {agreement.stacks}", flush=True)


@figure
def stacks():
    """stacks of Debian's own programs (at least 99 % rooted; gdb agrees on the same core dumps in 199 of 200)"""
    print(f"   {'':24}{'samples':>8}{'rooted':>12}{'guessed':>10}{'deep':>10}{'perf dwarf':>12}{'as gdb':>10}")
    with prepared() as work:
        for name, program in PROGRAMS.items():
            if program.command:
                stacks_row(name, program, work)
            else:
                print(f"   {name:24} is not installed")


def perf_rooted():
    """Share of perf's samples whose outermost named frame is a start, and their number."""
    text = run("perf", "script", "--no-inline", "-F", "ip,sym", "-i", "perf.data")[2].stdout
    roots = ("_start", "main", "__libc_start_main", "clone", "start_thread", "_dl_start",
             "__libc_start_call_main", "clone3", "__clone")
    stacks = [s for s in text.strip().split("\n\n") if s.strip()]
    good = sum(any(root in line for line in s.splitlines()[-2:] for root in roots) for s in stacks)
    return 100 * good / max(1, len(stacks)), len(stacks)


@figure
def unwind():
    """one walk of a warm 25-frame stack (hoped: below 1 us; libunwind's remote unwinder beside it)"""
    print(run(BENCH + "unwind")[2].stdout.rstrip())


@figure
def recorder_cpu():
    """the recorder's own CPU time while the program runs 10 s at 999 Hz (hoped: below 1.5 %)"""
    for seconds in ("2", "10"):
        run(CPROF, "run", "-q", SAMPLES + "nofp", seconds)
        fields = info("out.prof")
        share = number(fields["recorder cpu"]) / (number(fields["user"]) + number(fields["system"]))
        print(f"   {seconds:>2} s of CPU: {number(fields['recorder cpu']):.3f} s, {100 * share:.2f} %")


def record_and_watch(*options):
    """Records; the fields of `cprof info`, and the most memory that the recorder had in KiB."""
    recorder = subprocess.Popen([CPROF, "run", "-q", *options], stdout=subprocess.DEVNULL)
    most = 0
    while recorder.poll() is None:
        try:
            status = open(f"/proc/{recorder.pid}/status").read()
        except OSError:
            break
        most = max([most] + [int(kib) for kib in re.findall(r"VmHWM:\s+(\d+)", status)])
        time.sleep(0.02)
    recorder.wait()
    return info("out.prof"), most


def recorder_row(what, *options):
    fields, memory = record_and_watch(*options)
    cpu, elapsed = number(fields["recorder cpu"]), number(fields["elapsed"])
    program = number(fields["user"]) + number(fields["system"])
    print(f"   {what:34} {100 * cpu / elapsed:6.2f} % of a CPU  {100 * cpu / program:6.2f} % of the "
          f"program's  {memory / 1024:6.1f} MiB  {int(number(fields['lost'])):>6} lost  "
          f"{int(number(fields['switches'])):>8} switches")


@figure
def recorder_threads():
    """the recorder's CPU time and memory against threads and rates (hoped: below 2 % of the program's at 999 Hz; nothing lost)"""
    seconds = os.environ.get("SECONDS_EACH", "3")
    for kind in ("busy", "sleeping"):
        for threads in ("1", "16", "64", "1000"):
            recorder_row(f"{threads} {kind} threads, 999 Hz",
                         BENCH + "many_threads", threads, seconds, kind)
    for rate in ("99", "999", "10000"):
        recorder_row(f"16 busy threads, {rate} Hz", "-F", rate,
                     BENCH + "many_threads", "16", seconds, "busy")


@figure
def many_cpus():
    """the reading thread against the number of CPUs, simulated (hoped: one keeps up with 256 busy ones)"""
    print(run(BENCH + "many_cpus")[2].stdout.rstrip())


@figure
def slowdown():
    """slow-down of a CPU-bound program at 999 Hz (hoped: cprof at most 1.02 of ip only, below perf)"""
    work = [BENCH + "fixed_work"]
    medians = compare("wall time of fixed work", {
        "bare": work,
        "ip only": [BENCH + "ip_only", "999", *work],
        "cprof run": [CPROF, "run", "-q", *work],
        "perf record -g": [*perf_record("-g"), *work],
        "perf record --call-graph dwarf": [*perf_record("--call-graph", "dwarf"), *work],
    }, rounds=3 * ROUNDS, measure=lambda result: float(result[2].stdout.split()[-1]))
    print(f"   cprof / ip only: {medians['cprof run'] / medians['ip only']:.3f}")


@figure
def ptrace():
    """the ptrace backend: slow-down beside perf events, cost of a stop (hoped: below 5 %; 16 to 23 us a stop)"""
    def recording(*options):
        return [CPROF, "run", "-q", *options, BENCH + "fixed_work"]
    medians = compare("wall time of fixed work", {
        "bare": [BENCH + "fixed_work"],
        "perf events": recording("--backend=perf"),
        "ptrace": recording("--backend=ptrace", "-o", "limited.prof"),
        "ptrace, as often as asked": recording("--backend=ptrace", "--max-overhead", "100", "-o", "full.prof"),
    }, measure=lambda result: float(result[2].stdout.split()[-1]))
    for name, profile in {"ptrace": "limited.prof", "ptrace, as often as asked": "full.prof"}.items():
        fields = info(profile)
        stops, held = number(fields["stops"]), number(fields["stopped"])
        slower = medians[name] - medians["bare"]
        print(f"   {name:26} {stops:.0f} stops, held for {1e6 * held / max(1, stops):.1f} us each; slower by "
              f"{1e6 * slower / max(1, stops):.1f} us a stop; its own estimate {fields['cost']}")


@figure
def switches():
    """slow-down of a switch-heavy program (hoped: at most 1.1, nothing lost)"""
    def seconds(result):
        return float(re.search(r"Total time: ([\d.]+)", result[2].stdout).group(1))
    work = ["perf", "bench", "sched", "pipe", "-l", "100000"]
    compare("perf bench sched pipe, its own time", {
        "bare": work, "cprof run": [CPROF, "run", "-q", *work],
        "perf record -g": [*perf_record("-g"), *work],
        "perf record --call-graph dwarf": [*perf_record("--call-graph", "dwarf"), *work]},
        rounds=3 * ROUNDS, measure=seconds)
    print(f"   lost: {info('out.prof')['lost']}")


@figure
def startup():
    """`cprof run true` beside `true` (hoped: at most 50 ms more)"""
    medians = compare("wall time", {
        "true": ["true"], "cprof run true": [CPROF, "run", "-q", "true"],
        "perf record true": [*perf_record("-g"), "true"]}, rounds=2 * ROUNDS)
    print(f"   more than true: cprof {1000 * (medians['cprof run true'] - medians['true']):.0f} ms, "
          f"perf {1000 * (medians['perf record true'] - medians['true']):.0f} ms")


@figure
def file():
    """size and loading of a million samples in 100,000 distinct stacks (hoped: 10 bytes a sample, 0.3 s, 150 MiB)"""
    print(run(BENCH + "file", "shared", "million.prof")[2].stdout.rstrip())
    if os.path.exists("million.prof"):
        measured = run("/usr/bin/time", "-f", "%e s, %M KiB", CPROF, "report", "-n", "10", "million.prof")[2]
        print(f"   cprof report of it: {measured.stderr.strip().splitlines()[-1]}")


@figure
def names():
    """10,000 addresses with inlined calls in a program with 100 MB of debug info (hoped: 2 s)"""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = run("sh", root + "/tests/bench/names.sh", env=dict(os.environ, BUILD=BUILD))[2]
    print(done.stdout.rstrip() or done.stderr.rstrip())


def main():
    chosen = sys.argv[3:] or [f.__name__ for f in FIGURES]
    known = {f.__name__: f for f in FIGURES}
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.exit(f"bench: unknown figure {unknown[0]}: known are {', '.join(known)}")
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        os.environ["CPROF_DIR"] = directory + "/kept"
        if os.path.isdir("data"):
            os.symlink(os.path.abspath("data"), directory + "/data")
        os.chdir(directory)
        for name in chosen:
            print(f"{name}: {known[name].__doc__}", flush=True)
            known[name]()
            print(flush=True)


main()
