#!/bin/sh
# names.sh [DIRECTORY]: the figure "10,000 distinct addresses with their inlined calls in a program with
# 100 MB of debug info in 2 s". Makes such a program once (a few minutes), then runs names.c on it:
# how long, how much memory, and whether a sample of the answers agrees with addr2line.
#
# Set BUILD to the build directory that has libcore.a (default "build"), UNITS to make another size.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
UNITS=${UNITS:-18}
directory=${1:-$BUILD/bench/names.data}
driver=$BUILD/bench/names
program=$directory/program-$UNITS

# One translation unit: ten record types, each put through the containers and algorithms of the
# standard library, so that -O2 makes thousands of inlined calls of it.
write_unit() {
  unit=$1
  cat <<UNIT
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
namespace unit_$unit {
template <typename Record> struct store {
	std::map<std::string, std::vector<Record>> by_name;
	std::unordered_map<int, std::shared_ptr<Record>> by_key;
	std::deque<Record> queue;
	void add(int key, const std::string &name, const Record &record)
	{
		by_name[name].push_back(record);
		by_key[key] = std::make_shared<Record>(record);
		queue.push_back(record);
		if (queue.size() > 100)
			queue.pop_front();
	}
	double total(const std::function<double(const Record &)> &value)
	{
		std::vector<Record> all;
		for (auto &entry : by_name)
			std::copy(entry.second.begin(), entry.second.end(), std::back_inserter(all));
		std::sort(all.begin(), all.end());
		all.erase(std::unique(all.begin(), all.end()), all.end());
		std::stable_sort(all.begin(), all.end(), [](const Record &a, const Record &b) { return b < a; });
		return std::accumulate(all.begin(), all.end(), 0.0,
			[&](double sum, const Record &r) { return sum + value(r); });
	}
	size_t distinct()
	{
		std::set<Record> seen(queue.begin(), queue.end());
		std::set<std::string> names;
		for (auto &entry : by_key)
			names.insert(entry.second->label());
		return seen.size() + names.size();
	}
};
UNIT
  for type in 0 1 2 3 4 5 6 7 8 9; do
    cat <<TYPE
struct record_$type {
	int key; double weight; std::string name;
	std::string label() const { return name + ":" + std::to_string(key); }
	bool operator<(const record_$type &o) const { return key != o.key ? key < o.key : name < o.name; }
	bool operator==(const record_$type &o) const { return key == o.key && name == o.name; }
};
static double work_$type(int count)
{
	store<record_$type> records;
	for (int i = 0; i < count; i++)
		records.add(i, std::to_string(i % 7), {i * $type + $unit, i * 0.5, "n" + std::to_string(i)});
	return records.total([](const record_$type &r) { return r.weight * $type; }) + records.distinct();
}
TYPE
  done
  echo "double run(int n) { return work_0(n) + work_1(n) + work_2(n) + work_3(n) + work_4(n) + work_5(n)"
  echo "+ work_6(n) + work_7(n) + work_8(n) + work_9(n); } }"
}

make_program() {
  mkdir -p "$directory"
  unit=0
  : > "$directory/declarations"
  : > "$directory/calls"
  while [ "$unit" -lt "$UNITS" ]; do
    write_unit "$unit" > "$directory/unit_$unit.cc"
    echo "namespace unit_$unit { double run(int); }" >> "$directory/declarations"
    echo "sum += unit_$unit::run(argc * 10);" >> "$directory/calls"
    unit=$((unit + 1))
  done
  {
    cat "$directory/declarations"
    echo "int main(int argc, char **) { double sum = 0;"
    cat "$directory/calls"
    echo "return sum < 0; }"
  } > "$directory/unit_main.cc"
  ls "$directory"/unit_*.cc | xargs -P 2 -I FILE g++ -O2 -g -c FILE -o FILE.o
  g++ -g "$directory"/unit_*.cc.o -o "$program"
  rm -f "$directory"/unit_*.cc.o
}

# Names without what addr2line adds; "unknown" in one spelling.
normalize() {
  sed 's/ (discriminator [0-9]*)//; s/ \[clone [^]]*\]//g; s/:0$/:?/'
}

# Addresses whose function is not known (padding, which addr2line gives to the function before) are left
# out. A static function has its scope and parameters here, and there its bare name.
compare() {
  "$driver" -p "$program" "$1" | normalize > "$directory/ours"
  grep '^0x' "$directory/ours" | addr2line -a -i -f -C -e "$program" | normalize > "$directory/theirs"
  python3 - "$directory/ours" "$directory/theirs" <<'PYTHON'
import sys

def read(path):
    answers, address = {}, None
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("0x"):
            address = int(line, 16)
            answers[address] = []
        else:
            answers[address].append(line)
    return answers

def same(ours, theirs):
    return ours == theirs or ("(" not in theirs and "::" + theirs + "(" in ours)

ours, theirs = read(sys.argv[1]), read(sys.argv[2])
known = [a for a in ours if ours[a][-2] != "??"]
wrong = [a for a in known if len(ours[a]) != len(theirs[a]) or not all(map(same, ours[a], theirs[a]))]
levels = sum(len(ours[a]) // 2 for a in known)
print(f"addr2line agrees on {len(known) - len(wrong)} of {len(known)} addresses with {levels} levels; "
      f"{len(ours) - len(known)} lie in no function")
for address in wrong[:5]:
    print(f"  {address:#x}: {ours[address]} - {theirs[address]}")
sys.exit(bool(wrong))
PYTHON
}

[ -x "$driver" ] || { echo "names.sh: no $driver: run make bench" >&2; exit 1; }
[ -x "$program" ] || make_program
size -A "$program" | awk '/^\.debug/ { sum += $2 } END { printf "debug information: %.1f MB\n", sum / 1e6 }'
for run in 1 2 3; do "$driver" "$program" 10000; done
compare 300
