#!/usr/bin/env python3
"""terminal.py [TEXT KEYS]... -- COMMAND [ARG...]: runs a command at a terminal of its own.

Each time that the output shows TEXT behind what was dealt with, KEYS are typed. Prints all output;
the exit status is the command's.
"""
import os
import pty
import sys

split = sys.argv.index("--")
words = [word.encode() for word in sys.argv[1:split]]
answers = list(zip(words[::2], words[1::2]))
command = sys.argv[split + 1:]

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
output, seen = b"", 0
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    output += part
    while answers and answers[0][0] in output[seen:]:
        text, keys = answers.pop(0)
        seen = output.index(text, seen) + len(text)
        os.write(terminal, keys)
sys.stdout.buffer.write(output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
