#!/bin/bash
# seeds.sh DIRECTORY MAKE_SEEDS: the seeds of all fuzz targets, small, and the same each time:
# programs by the compiler, profiles and kernel records by MAKE_SEEDS, texts as written here.
set -eu
out=$1
sources=$(cd "$(dirname "$0")/seeds" && pwd)

rm -rf "$out"
mkdir -p "$out"/{bombs,elf,debug_data,loaded_image,symbols,dwarf,cfi,rules,profile,folded,perf_record,perf_map,jitdump,marks,kallsyms,proc_maps,run_record,demangle}
"$2" "$out"
out=$(cd "$out" && pwd)
cd "$out"

# --- programs -------------------------------------------------------------------------------------
compile() { # FILE OPTION...
  local file=$1
  shift
  gcc -Os -fno-stack-protector -fcf-protection=none -ffile-prefix-map="$sources"=. \
    -Wl,-z,noseparate-code -Wl,--hash-style=gnu -nostdlib -nostartfiles "$@" -o "$file"
}
compile elf/libshared.so -shared -fPIC -g0 "$sources/shared.c" -Wl,-soname,libshared.so
compile dwarf/v5 -O2 -g -gdwarf-5 -static "$sources/inlined.c" "$sources/shared.c"
compile dwarf/v4 -O2 -g -gdwarf-4 -static "$sources/inlined.c" "$sources/shared.c"
compile dwarf/v3 -O2 -g -gdwarf-3 -gstrict-dwarf -static "$sources/inlined.c" "$sources/shared.c"
compile dwarf/packed -O2 -g -gz -static "$sources/inlined.c" "$sources/shared.c"
compile dwarf/sections -O2 -g -ffunction-sections -static "$sources/inlined.c" "$sources/shared.c"
compile dwarf/lto -O2 -g -flto -static "$sources/inlined.c" "$sources/shared.c"
g++ -O2 -g -nostdlib -shared -fPIC -ffile-prefix-map="$sources"=. -Wl,-z,noseparate-code \
  "$sources/names.cc" -o dwarf/names
compile bombs/ranges -static "$sources/ranges.s"
compile bombs/attributes -static "$sources/attributes.s"
compile symbols/dynamic -O2 -pie -fPIE "$sources/inlined.c" elf/libshared.so
compile symbols/lazy -O2 -pie -fPIE -Wl,-z,lazy "$sources/inlined.c" elf/libshared.so
compile symbols/static -O2 -static "$sources/inlined.c" "$sources/shared.c"
g++ -O2 -nostdlib -shared -fPIC -Wl,-z,noseparate-code "$sources/names.cc" -o symbols/names
strip -o symbols/stripped symbols/dynamic
compile cfi/rules -static "$sources/rules.s"
compile cfi/debug_frame -O2 -g -fno-asynchronous-unwind-tables -static "$sources/inlined.c" \
  "$sources/shared.c"
compile cfi/usual -O2 -static "$sources/inlined.c" "$sources/shared.c"
cp cfi/usual elf/program
cp dwarf/packed elf/packed
strip --only-keep-debug -o elf/program.debug dwarf/v5
strip --strip-debug -o elf/linked dwarf/v5
objcopy --add-gnu-debuglink=elf/program.debug elf/linked
# A name and a build-id, as dwz leaves them.
printf '../common.debug\0\1\2\3\4\5\6\7\10' >alternate
objcopy --add-section .gnu_debugaltlink=alternate elf/linked elf/alternate
rm alternate
gcc -c -O2 "$sources/shared.c" -o elf/object.o
as --32 /dev/null -o elf/32-bit

compile dwarf/gnu_packed -O2 -g -gz=zlib-gnu -static "$sources/inlined.c" "$sources/shared.c"

xz -c symbols/static >inner.xz
objcopy --add-section .gnu_debugdata=inner.xz symbols/stripped debug_data/usual
xz -c --check=none -0 dwarf/v5 >inner.xz
objcopy --add-section .gnu_debugdata=inner.xz elf/program debug_data/program
rm inner.xz
cp symbols/dynamic symbols/stripped symbols/static elf/libshared.so loaded_image/

# --- rules: length, instructions, stack -----------------------------------------------------------
usual='\x41\x0e\x10\x86\x02\x43\x0d\x06'
stack='\x00\x10\x00\x00\x00\x00\x00\x00\x20\x10\x00\xfc\x7f\x00\x00\x00'
# shellcheck disable=SC2059 # the bytes are the format on purpose
{
  printf "\\x08$usual$stack$stack$stack" >rules/usual
  printf "\\x09\\x41\\x0f\\x03\\x76\\x78\\x06\\x10\\x06\\x02\\x76\\x00$stack$stack" >rules/expression
  printf "\\x0c\\x41\\x0e\\x10\\x0a\\x42\\x0e\\x20\\x0b\\x03\\x00\\x01\\xc6$stack" >rules/states
  printf "\\x10\\x16\\x03\\x0d\\x12\\x17\\x28\\xfb\\xff\\x2f\\xf8\\xff\\x13\\x19\\x1b\\x1d$stack" >rules/loop
}

# --- texts ----------------------------------------------------------------------------------------
cat >folded/usual <<'END'
main;load;read 12
main;color.c:10(color) 7
@10/11 start;worker;lib.so!color.c:10:14(color) 5
END
cat >kallsyms/usual <<'END'
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000700 T startup_64
ffffffff81000e40 t __do_syscall
ffffffff81000e40 W do_syscall
ffffffffc0a2f000 t ext4_readdir	[ext4]
ffffffffc0a2f100 T ext4_open	[ext4]
END
cat >proc_maps/usual <<'END'
55d0c8a00000-55d0c8a01000 r--p 00000000 fe:01 1835                       /usr/bin/a\012b
55d0c8a01000-55d0c8a02000 r-xp 00001000 fe:01 1835                       /usr/bin/cat
7f10a07c3000-7f10a07c4000 r-xp 00000000 00:01 2051                       /tmp/fake.so (deleted)
7f10a0a00000-7f10a0a01000 rwxp 00000000 00:00 0
7ffd3c7fc000-7ffd3c7fe000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
END
cat >perf_map/usual <<'END'
1000 20 LazyCompile:~fib /home/me/fib.js:1:13
0x1010 20 Builtin:ArgumentsAdaptor
2000 1000 Function:with spaces
2100 40 inner
1000 20 again
END
cat >run_record/usual <<'END'
label v4
command ./segment 'v4 \\' "--data m"
program /home/me/segment
program_build_id abcdef
host here
metrics 7
rate_asked_hz 999
start_unix_ns 1700000000000000000
elapsed_ns 102000000
peak_rss_bytes 1048576
samples 102
END
names=(_Z3addii _ZN3foo3barEi _ZNSt6vectorIiSaIiEE9push_backERKi _ZNK5outer3boxIiEplERKS1_
  _ZZN5outer7derived4sizeEiENUliE_4_FUNEi _ZN4core3fmt5Write9write_fmt17h0123456789abcdefE
  _RNvCs15kBYyAo9fc_7mycrate7example _RINvNtC3std3mem8align_ofNtNtC3std3mem4DropE
  _ZGVZN1A1fEvE1x _ZTv0_n24_N1A1fEv _ZN1AC1EOS_ _Z1fIJiidEEvDpT_ _ZL4stati.part.0
  _RINvNtC0std3mtC6stdr)
for name in "${names[@]}"; do printf '%s' "$name" >"demangle/$name"; done

# --- marks: magic, number of marks, slots of {number, time, pid, tid, kind, 0, name[96]} ---------
{
  printf 'cpfmark1\3\0\0\0\0\0\0\0'
  for slot in 1 2 3; do
    # shellcheck disable=SC2059
    printf "\\x0$slot\\0\\0\\0\\0\\0\\0\\0\\0\\x0$slot\\0\\0\\0\\0\\0\\0\\x0a\\0\\0\\0\\x0a\\0\\0\\0\\x0$((slot - 1))\\0\\0\\0\\0\\0\\0\\0"
    printf 'loaded'
    head -c 90 /dev/zero
  done
} >marks/usual
