# test file: sourced by the harness
# The workload: segment's data, its stages, what it says about what is damaged.

# A picture of 96 x 80 pixels in four shades as picture.png, by hand: PNG is chunks with checksums.
small_picture() {
  python3 - <<'END'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
shades = [(250, 250, 245), (230, 160, 190), (150, 90, 150), (60, 40, 110)]
rows = b"".join(b"\0" + b"".join(bytes(c - (x * 7 + y * 5) % 13 for c in shades[x // 24]) for x in range(96))
                for y in range(80))
open("picture.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 80, 8, 2, 0, 0, 0))
                                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
}

# Its data, which takes a moment only.
small_data() {
  small_picture
  "$SEGMENT" generate "${@:-s}" --image picture.png >/dev/null
}

# Exit status 1, nothing on stdout, and one sentence that says WORDS.
refuses() { # WORDS COMMAND...
  local words=$1 status=0
  shift
  "$@" >out 2>err || status=$?
  [ "$status" = 1 ]
  [ ! -s out ]
  [ "$(wc -l <err)" = 1 ]
  grep -q -- "$words" err || { cat err; return 1; }
}

# "width height" of a PNG.
png_size() {
  python3 -c 'import struct, sys; print(*struct.unpack(">II", open(sys.argv[1], "rb").read()[16:24]))' "$1"
}

# Fails unless every chunk's checksum is right and the pixels unpack to their full length.
png_check() {
  python3 - "$1" <<'END'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, pixels, kind = 8, b"", b""
while at < len(data):
    length, kind = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + length]
    assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
    if kind == b"IHDR":
        width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        assert (depth, colour) == (8, 2)
    if kind == b"IDAT":
        pixels += body
    at += 12 + length
assert kind == b"IEND"
pixels = zlib.decompress(pixels)
assert len(pixels) == height * (1 + 3 * width)
END
}

test_segment_generates_and_verifies_s() {
  "$SEGMENT" generate s >out
  grep -q '1280 x 960' out
  [ "$(find data -type f | wc -l)" = 5 ]
  "$SEGMENT" verify --data s >out
  [ "$(wc -l <out)" = 7 ]
  [ "$(grep -c 'largest difference from v0: [01] of 255' out)" = 7 ]
}

test_segment_verifies_m_from_a_picture() {
  small_data s m
  "$SEGMENT" verify --data s m >out
  [ "$(grep -c '^data/m .* difference from v0' out)" = 7 ]
}

test_segment_data_is_the_same_for_a_seed() {
  small_data
  mv data first
  small_data
  cmp first/s/probabilities_1.txt data/s/probabilities_1.txt
  cmp first/s/data.hdf5 data/s/data.hdf5
  rm -r data
  "$SEGMENT" generate s --image picture.png --seed 7 >/dev/null
  fails 1 cmp -s first/s/probabilities_1.txt data/s/probabilities_1.txt
}

test_segment_tiles_repeat_the_image() {
  small_data s m
  # Row 0 of m is row 0 of s twice, and so is row 80.
  head -1 data/s/probabilities_2.txt >s
  paste -d ' ' s s >twice
  sed -n 1p data/m/probabilities_2.txt | cmp - twice
  sed -n 81p data/m/probabilities_2.txt | cmp - twice
}

test_segment_probabilities_add_up() {
  small_data
  paste data/s/probabilities_[0-3].txt | head -40 | awk '{
    for (i = 1; i <= 96; i++) {
      sum = $i + $(i + 96) + $(i + 192) + $(i + 288)
      if (sum < 0.99999 || sum > 1.00001) exit 1
      if ($i > 0.5) sure++
    }
  } END { exit !(NR == 40 && sure > 400) }'
}

test_segment_text_and_hdf5_hold_the_same() {
  small_data
  "$SEGMENT" v0 --show v0.png >/dev/null
  "$SEGMENT" v1 --show v1.png >/dev/null
  cmp v0.png v1.png
}

test_segment_verify_finds_a_wrong_picture() {
  small_data
  sed -i '1s/^........ /0.000000 /' data/s/probabilities_0.txt
  fails 1 "$SEGMENT" verify >out 2>err
  grep -q 'differs from v0' err
}

test_segment_refuses_large_sizes_for_boxed_stages() {
  small_data l
  refuses 'v0 takes the sizes s and m only' "$SEGMENT" v0 --data l
  refuses 'v1 takes the sizes s and m only' "$SEGMENT" v1 --data l
  "$SEGMENT" verify --data l >out
  grep -q '^data/l  v7  largest difference from v2: 0' out
}

test_segment_list_names_stages_and_data() {
  small_data
  "$SEGMENT" list >out
  for stage in v0 v1 v2 v3 v4 v5 v6 v7; do grep -q "^  $stage  *[a-z]" out; done
  grep -q '^  s  *96 x 80 pixels' out
  grep -q '^  xl  *not there' out
}

test_segment_help_names_everything() {
  "$SEGMENT" --help >out
  for word in v0 v7 generate verify list --data --show --repeat --image --seed; do
    grep -q -- "$word" out
  done
}

test_segment_usage_errors() {
  fails 2 "$SEGMENT" 2>/dev/null
  fails 2 "$SEGMENT" --stage 2>/dev/null
  fails 2 "$SEGMENT" v3 --nonsense 2>/dev/null
  fails 2 "$SEGMENT" v3 too many 2>/dev/null
  fails 2 "$SEGMENT" v3 --repeat 0 2>/dev/null
  fails 2 "$SEGMENT" generate q 2>/dev/null
  fails 2 "$SEGMENT" generate --seed x 2>/dev/null
}

test_segment_unknown_stage() {
  refuses 'known stages: v0 v1' "$SEGMENT" v9
}

test_segment_missing_data() {
  refuses 'segment generate' "$SEGMENT" v3
  refuses 'segment generate' "$SEGMENT" v0
  refuses 'segment generate' "$SEGMENT" v7 --data ./nowhere
  refuses 'segment generate' "$SEGMENT" verify
}

test_segment_damaged_hdf5() {
  small_data
  cp data/s/data.hdf5 whole
  truncate -s 100000 data/s/data.hdf5
  for stage in v1 v3 v4 v5 v7; do refuses 'data.hdf5 is damaged' "$SEGMENT" "$stage"; done
  echo 'not HDF5' >data/s/data.hdf5
  refuses 'data.hdf5 is damaged' "$SEGMENT" v3
  # Eight bytes here and there in the metadata: it works or is refused, and never crashes.
  for ((at = 0; at < 1024; at += 24)); do
    cp whole data/s/data.hdf5
    printf '\377\377\377\377\377\377\377\377' |
      dd of=data/s/data.hdf5 bs=1 seek=$at conv=notrunc status=none
    status=0
    "$SEGMENT" v7 >out 2>err || status=$?
    [ "$status" = 0 ] || [ "$status" = 1 ]
    [ "$(wc -l <err)" = "$status" ]
  done
}

test_segment_damaged_text() {
  small_data
  cp -r data whole
  spoil() { # CLASS SED-SCRIPT WORDS
    sed -i "$2" "data/s/probabilities_$1.txt"
    refuses "probabilities_$1.txt $3" "$SEGMENT" v0
    cp "whole/s/probabilities_$1.txt" data/s
  }
  spoil 2 '7s/^[0-9.]* //' 'is damaged in line 7: a number is missing'
  spoil 1 '9s/0\./x./3' 'is damaged in line 9: .* not a number'
  spoil 1 '5s/[01]\.[0-9]*/nan/' 'is damaged in line 5: .* between 0 and 1'
  spoil 1 '5s/[01]\.[0-9]*/7.5/' 'is damaged in line 5: .* between 0 and 1'
  spoil 0 '3s/$/ 0.5/' 'is damaged in line 3: it has too many numbers'
  spoil 3 '80d' 'is damaged in line 79: there are fewer lines'
  spoil 3 '80p' 'is damaged in line 81: there are more lines'
  spoil 0 '1,$d' 'holds no numbers'
  truncate -s -4 data/s/probabilities_3.txt
  refuses 'probabilities_3.txt is damaged in line 80: it is cut off' "$SEGMENT" v0
  rm data/s/probabilities_1.txt
  refuses 'probabilities_1.txt does not exist' "$SEGMENT" v0
}

test_segment_shows_image_and_result() {
  small_data
  "$SEGMENT" v3 --show shown.png >/dev/null
  [ "$(png_size shown.png)" = '192 80' ]
  png_check shown.png
  [ ! -e shown.png.part ]
  # What it writes it can read: the picture with its result beside it is a picture too.
  "$SEGMENT" generate s --image shown.png >out
  grep -q '192 x 80' out
}

test_segment_show_fails_with_a_sentence() {
  small_data
  fails 1 "$SEGMENT" v3 --show nowhere/shown.png >/dev/null 2>err
  [ "$(wc -l <err)" = 1 ]
  grep -q 'nowhere/shown.png cannot be written' err
}

test_segment_bad_pictures() {
  small_picture
  head -c 300 picture.png >cut.png
  refuses 'cut.png is damaged' "$SEGMENT" generate --image cut.png
  refuses 'No such file' "$SEGMENT" generate --image none.png
  echo text >text.png
  refuses 'cannot be read as a PNG' "$SEGMENT" generate --image text.png
  [ ! -e data ]
}

test_segment_generate_keeps_foreign_files() {
  small_data
  echo mine >data/s/notes.txt
  refuses 'notes.txt, which is not ours' "$SEGMENT" generate --image picture.png
  grep -q mine data/s/notes.txt
}

test_segment_interrupted_generate_leaves_nothing() {
  small_data l
  cp data/l/data.hdf5 before
  "$SEGMENT" generate xl >/dev/null 2>&1 &
  child=$!
  until [ -e data/xl.part ]; do
    kill -0 "$child"
    sleep 0.005
  done
  kill -TERM "$child"
  status=0
  wait "$child" || status=$?
  [ "$status" = 143 ]
  [ "$(ls data)" = l ]
  cmp before data/l/data.hdf5
}

test_segment_generate_on_a_full_disk() {
  small_picture
  # A limit on the size of files stands for the disk: EFBIG instead of ENOSPC.
  status=0
  (ulimit -f 100 && trap '' XFSZ && exec "$SEGMENT" generate --image picture.png) >out 2>err || status=$?
  [ "$status" = 1 ]
  [ "$(wc -l <err)" = 1 ]
  grep -q 'cannot be written' err
  [ -z "$(ls data)" ]
}

test_segment_repeats() {
  small_data
  "$SEGMENT" v6 --repeat 3 >out
  grep -q '^v6: 96 x 80 pixels, fastest run [0-9.]* ms$' out
}
