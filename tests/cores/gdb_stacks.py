"""Runs within gdb: prints the stacks of every thread of the core dumps DIR/core.* as core_stacks does.

Physical frames only. gdb knows nothing of code that V8 made, which has no CFI: there frames are linked by
the frame pointer, which an unwinder here says. (gdb then takes [rsp] for a return address.)
"""
import glob
import os

import gdb
import gdb.unwinder


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class LinkedFrames(gdb.unwinder.Unwinder):
    """Code of V8: its builtins, which lie in the program, and what no file holds."""

    def __init__(self):
        super().__init__("linked frames")
        self.mappings = []

    def read_mappings(self):
        """The core's "0x400000 0xb6f000 0x76f000 0x0 /usr/bin/node"."""
        lines = gdb.execute("info proc mappings", to_string=True).splitlines()
        words = [line.split() for line in lines if line.strip().startswith("0x")]
        self.mappings = [(int(word[0], 16), int(word[1], 16)) for word in words]

    def is_linked(self, pc):
        symbol = gdb.execute(f"info symbol {pc}", to_string=True)
        return symbol.startswith("Builtins_") or (
            symbol.startswith("No symbol") and not any(low <= pc < high for low, high in self.mappings))

    def __call__(self, frame):
        pc, rbp, rsp = (int(frame.read_register(name)) & (1 << 64) - 1 for name in ("rip", "rbp", "rsp"))
        if rbp < rsp or not self.is_linked(pc):
            return None
        pointer = gdb.lookup_type("long").pointer()
        info = frame.create_unwind_info(FrameId(rbp + 16, pc))
        info.add_saved_register("rip", gdb.Value(rbp + 8).cast(pointer).dereference())
        info.add_saved_register("rbp", gdb.Value(rbp).cast(pointer).dereference())
        info.add_saved_register("rsp", gdb.Value(rbp + 16))
        return info


def addresses(frame):
    while frame is not None:
        if frame.type() in (gdb.NORMAL_FRAME, gdb.SIGTRAMP_FRAME, gdb.ARCH_FRAME):
            yield f"{frame.pc():x}"
        try:
            frame = frame.older()
        except gdb.error:
            return


def print_core(path):
    gdb.execute("core-file " + path, to_string=True)
    linked_frames.read_mappings()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        print(path, thread.ptid[1], "gdb", *addresses(gdb.newest_frame()), flush=True)


for setting in ("pagination off", "confirm off", "debuginfod enabled off", "backtrace past-main on",
                "backtrace past-entry on", "backtrace limit 65536"):
    gdb.execute("set " + setting)
linked_frames = LinkedFrames()
gdb.unwinder.register_unwinder(None, linked_frames)
for core in sorted(glob.glob(os.environ["DIR"] + "/core.*")):
    print_core(core)
