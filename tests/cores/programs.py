"""Programs as Debian ships them, stripped and without frame pointers, each with a second or two of work.

    with prepared() as directory:
        program = PROGRAMS["xz"]
        program.command(directory)      the words of its command
        program.load(directory)         for a server: the commands that give it work and end it

A program that is not installed has `command` None.
"""
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager

SQL = "with recursive c(x) as (select 1 union all select x+1 from c where x<10000000) select sum(x*x%7) from c;"
PYTHON = """
import sys
sys.setrecursionlimit(5000)
def deep(n):
    return sum(hash(str(i)) for i in range(400000)) if n == 0 else deep(n - 1) + 1
for depth in range(0, 900, 30):
    deep(depth)
"""
PERL = """
my $text = join(" ", map { "abc$_ def" } 1..20000);
for (1..160) { my %seen; $seen{$1}++ while $text =~ /(\\w+?)\\d+\\s(?:d|e)(\\w)/g; my @sorted = sort keys %seen }
for (1..30) { my %seen; $seen{reverse $_}++ for split / /, $text; my @sorted = sort { $a cmp $b } keys %seen }
"""
AWK = """
BEGIN { for (i = 0; i < COUNT; i++) {
    a[i % 1000] = a[i % 997] substr("abcdef", i % 5, 2);
    if (length(a[i % 1000]) > 30) a[i % 1000] = toupper("x");
    gsub(/b+c/, "q", a[i % 1000]) } }
"""
NODE = """
function work(n) {
  const words = [];
  for (let i = 0; i < 30000; i++) words.push(String(i * 7919 % 10007).replace(/(\\d)(\\d)/g, (m, a, b) => b + a));
  words.sort((a, b) => a < b ? -1 : 1);
  return JSON.stringify(words).length + (n > 0 ? [n - 1].map(work)[0] : 0);
}
for (let i = 0; i < 4; i++) work(8);
"""
NGINX = """
daemon off; master_process off; pid {0}/nginx.pid; error_log {0}/nginx.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0};
  uwsgi_temp_path {0}; scgi_temp_path {0}; gzip on; gzip_types *;
  server {{ listen 127.0.0.1:{1}; root {0}; }}
}}
"""


class Program:
    def __init__(self, needed, command, load=lambda directory: []):
        path = shutil.which(needed, path="/usr/bin:/usr/sbin:/bin")
        self.command = (lambda directory: [path, *command(directory)]) if path else None
        self.load = load


def cc1():
    path = subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, text=True, check=False)
    return path.stdout.strip()


def redis_load(directory):
    port = ["-p", str(port_of(directory))]
    return [["redis-benchmark", *port, "-q", "-n", "60000", "-t", "set,get,lpush,lrange_100"],
            ["redis-cli", *port, "shutdown", "nosave"]]


def nginx_load(directory):
    url = f"http://127.0.0.1:{port_of(directory)}/big.c"
    return [["ab", "-q", "-c", "8", "-n", "3000", "-H", "Accept-Encoding: gzip", url],
            ["nginx", "-c", directory + "/nginx.conf", "-s", "quit"]]


PROGRAMS = {
    "xz": Program("xz", lambda d: ["-T2", "-3", "-k", "-c", d + "/data"]),
    "zstd": Program("zstd", lambda d: ["-T2", "-15", "-c", d + "/data"]),
    "sqlite3": Program("sqlite3", lambda d: [":memory:", SQL]),
    "python3": Program("python3", lambda d: ["-c", PYTHON]),
    "perl": Program("perl", lambda d: ["-e", PERL]),
    "gawk": Program("gawk", lambda d: [AWK.replace("COUNT", "2500000")]),
    "git": Program("git", lambda d: ["-C", d + "/repository", "log", "-p", "-M", "--stat", "--all"]),
    "cc1": Program(cc1(), lambda d: ["-quiet", "-O2", d + "/big.c", "-o", "/dev/null"]),
    "node": Program("node", lambda d: ["-e", NODE]),
    "node --perf-basic-prof": Program("node", lambda d: ["--perf-basic-prof", "-e", NODE]),
    "redis-server": Program("redis-server", lambda d: ["--port", str(port_of(d)), "--save", ""], redis_load),
    "nginx": Program("nginx", lambda d: ["-c", d + "/nginx.conf"], nginx_load),
    "busybox": Program("busybox", lambda d: ["awk", AWK.replace("COUNT", "1000000")]),
    "openssl aes": Program("openssl", lambda d: ["speed", "-seconds", "2", "-bytes", "8192", "-evp", "aes-128-gcm"]),
    "openssl sha": Program("openssl", lambda d: ["speed", "-seconds", "2", "-bytes", "8192", "sha256"]),
}


def port_of(directory):
    with open(directory + "/port", encoding="ascii") as file:
        return int(file.read())


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def prepare_source(directory):
    write(directory + "/big.c", "".join(
        f"int f{i}(int *a, int n) {{ int s = {i}; for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) "
        f"s += a[i] * a[j] % (j + {i + 1}); return s; }}\n" for i in range(400)))


def prepare_repository(directory):
    """A history in which every commit changes some lines of a file of 2,000."""
    lines = [f"line {i} {i * 7919 % 1000}\n" for i in range(2000)]
    stream = []
    for commit in range(500):
        for change in range(60):
            lines[(commit * 977 + change * 131) % 2000] = f"line {commit} {change} {commit * change % 77}\n"
        text, message = "".join(lines), f"commit {commit}\n"
        stream.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1000000000 + commit} +0000\n"
                      f"data {len(message)}\n{message}\nM 100644 inline f{commit % 5}.txt\ndata {len(text)}\n{text}\n")
    git = ["git", "-C", directory + "/repository"]
    subprocess.run(["git", "init", "-q", directory + "/repository"], check=True)
    subprocess.run([*git, "fast-import", "--quiet"], input="".join(stream).encode(), check=True)


def prepare_server(directory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    write(directory + "/port", str(port))
    write(directory + "/nginx.conf", NGINX.format(directory, port))


@contextmanager
def prepared():
    with tempfile.TemporaryDirectory(prefix="cprof-programs.") as directory:
        with open(cc1(), "rb") as source, open(directory + "/data", "wb") as data:
            data.write(source.read(10 << 20))
        prepare_source(directory)
        if shutil.which("git"):
            prepare_repository(directory)
        prepare_server(directory)
        os.chmod(directory, 0o755)
        yield directory
