/*
 * Names of addresses: what gcc compiles is compared, address by address, with what addr2line, nm
 * and objdump say of it.
 */
#include "symbols/symbolizer.h"

#include "base/array.h"
#include "fixture_dir.h"
#include "symbols/demangle.h"
#include "symbols/kernel_symbols.h"
#include "symbols/range_map.h"
#include "symbols/symbol_table.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *directory;

/* Inlined calls over two files, a cold part, static functions of one name in two files. */
static const char header_text[] =
	"int never(int n) __attribute__((cold, noinline));\n"
	"static inline __attribute__((always_inline)) int add(int a, int b)\n"
	"{\n"
	"	return a * 3 +\n"
	"	       b;\n"
	"}\n"
	"static inline __attribute__((always_inline)) int twice(int n)\n"
	"{\n"
	"	int sum = add(n, 1);\n"
	"	for (int i = 0; i < n; i++)\n"
	"		sum ^= add(sum, i);\n"
	"	return sum;\n"
	"}\n";

static const char chain_text[] = "#include <stdlib.h>\n"
				 "#include \"chain.h\"\n"
				 "int second(int n);\n"
				 "static __attribute__((noinline)) int same_name(int n)\n"
				 "{\n"
				 "	if (n == 12345)\n"
				 "		return never(twice(n)) + 1;\n"
				 "	return twice(n) + twice(n + 7);\n"
				 "}\n"
				 "__attribute__((noinline)) int first(int n)\n"
				 "{\n"
				 "	return same_name(n) - second(n);\n"
				 "}\n"
				 "int main(int argc, char **argv)\n"
				 "{\n"
				 "	char *text = malloc(argc);\n"
				 "	int result = first(argc) + twice(argc) + atoi(argv[0]);\n"
				 "	free(text);\n"
				 "	return result & 1;\n"
				 "}\n";

static const char second_text[] = "#include <stdio.h>\n"
				  "#include \"chain.h\"\n"
				  "static __attribute__((noinline)) int same_name(int n)\n"
				  "{\n"
				  "	if (n == 54321)\n"
				  "		return never(n - 1) * n;\n"
				  "	return add(n, n);\n"
				  "}\n"
				  "int second(int n)\n"
				  "{\n"
				  "	return same_name(n) * same_name(n + 1);\n"
				  "}\n"
				  "int never(int n)\n"
				  "{\n"
				  "	return puts(\"never\") + n;\n"
				  "}\n";

/* Bigger than what lies in front of the code: the linker drops it and leaves its lines at 0. */
static const char dropped_text[] = "#define STEP p[0] = p[1] * 3 + p[2]; p[3] ^= p[4];\n"
				   "#define STEPS STEP STEP STEP STEP STEP STEP STEP STEP\n"
				   "#define MANY STEPS STEPS STEPS STEPS STEPS STEPS STEPS STEPS\n"
				   "void dropped(volatile int *p)\n"
				   "{\n"
				   "	MANY\n"
				   "	MANY MANY MANY\n"
				   "	MANY MANY MANY MANY MANY MANY MANY MANY\n"
				   "}\n";

static const char cplus_text[] =
	"namespace outer {\n"
	"template <typename T> struct pair {\n"
	"	T a, b;\n"
	"	pair(T x, T y) : a(x), b(y) {}\n"
	"	T sum() const { return a + b; }\n"
	"	bool operator<(const pair &o) const { return sum() < o.sum(); }\n"
	"};\n"
	"namespace {\n"
	"int helper(int n)\n"
	"{\n"
	"	int result = 0;\n"
	"	for (int i = 0; i < n; i++)\n"
	"		result = result * 31 + i % (n + 1);\n"
	"	return result;\n"
	"}\n"
	"}\n"
	"int (*volatile indirect)(int) = helper;\n"
	"template <typename T> __attribute__((noinline)) T largest(const pair<T> *all, int count)\n"
	"{\n"
	"	const pair<T> *best = all;\n"
	"	auto better = [&](const pair<T> &p) { return *best < p; };\n"
	"	for (int i = 0; i < count; i++)\n"
	"		if (better(all[i]))\n"
	"			best = &all[i];\n"
	"	return best->sum();\n"
	"}\n"
	"}\n"
	"int main(int argc, char **)\n"
	"{\n"
	"	outer::pair<int> ints[] = {{argc, 2}, {3, argc}};\n"
	"	outer::pair<double> doubles[] = {{argc * 0.5, 2}, {3, argc * 2.5}};\n"
	"	int sum = outer::helper(argc) + outer::indirect(argc);\n"
	"	return sum + outer::largest(ints, 2) + (int)outer::largest(doubles, 2);\n"
	"}\n";

static void make_directory(void)
{
	directory = fixture_dir_make();
	fixture_write(directory, "chain.h", header_text);
	fixture_write(directory, "chain.c", chain_text);
	fixture_write(directory, "second.c", second_text);
	fixture_write(directory, "dropped.c", dropped_text);
	fixture_write(directory, "cplus.cc", cplus_text);
	fixture_run(directory, "gcc -g -O2 chain.c second.c -o chain");
	fixture_run(directory, "g++ -g -O2 cplus.cc -o cplus");
}

static void remove_directory(void)
{
	fixture_dir_remove(directory);
}

static struct elf_file *open_file(const char *path)
{
	struct error err = {""};
	struct elf_file *file = elf_file_open(path, &err);

	ck_assert_msg(file, "%s", err.text);
	return file;
}

static struct symbol_module *open_module(const char *program)
{
	struct elf_file *file = open_file(fixture_path(directory, program));
	struct symbol_module *module = symbol_module_open(file);

	elf_file_close(file);
	return module;
}

/* The .text of a program. */
static void text_of(const char *program, uint64_t *low, uint64_t *high)
{
	struct elf_file *file = open_file(fixture_path(directory, program));
	struct elf_section text;

	ck_assert(elf_file_section(file, ".text", &text));
	*low = text.file_addr;
	*high = text.file_addr + text.size;
	elf_file_close(file);
}

/* The outermost function at an address; NULL: unknown. */
static const char *function_at(struct symbol_module *module, uint64_t file_addr, uint64_t *entry)
{
	const struct symbol_line *lines;
	size_t count = symbol_module_resolve(module, file_addr, &lines);

	if (entry)
		*entry = count ? lines[count - 1].entry : 0;
	return count ? lines[count - 1].function : NULL;
}

/* --- beside addr2line ---------------------------------------------------------------------------
 */

/* Cuts what addr2line adds: " (discriminator 3)", " [clone .isra.0]", ".cold". */
static void cut_additions(char *line)
{
	static const char *const additions[] = {" (discriminator ", " [clone ", ".cold"};

	for (size_t i = 0; i < sizeof(additions) / sizeof(*additions); i++) {
		char *addition = strstr(line, additions[i]);

		if (addition)
			*addition = '\0';
	}
}

/*
 * Ours may say more: scope and parameters of a static C++ function that was inlined. For the
 * innermost of these addr2line says what symbol the address lies in, which is `outermost`.
 */
static bool names_agree(const char *ours, const char *theirs, const char *outermost)
{
	const char *found;

	if (outermost && strchr(ours, ':') && !strcmp(theirs, outermost))
		return true;

	if (!strcmp(ours, theirs))
		return true;
	found = strchr(theirs, '(') ? NULL : strstr(ours, theirs);
	return found && found > ours && found[-1] == ':' && found[strlen(theirs)] == '(';
}

/* addr2line does not know the file of GCC's link-time optimisation (nor does it claim to). */
static bool places_agree(const struct symbol_line *line, const char *theirs)
{
	const char *artificial = strstr(theirs, "<artificial>:");
	char ours[1024];

	if (!line->line)
		return strchr(theirs, '?');
	if (artificial)
		return strtoul(strchr(artificial, ':') + 1, NULL, 10) == line->line;
	snprintf(ours, sizeof(ours), "%s:%u", line->file ? line->file : "??", line->line);
	return !strcmp(ours, theirs);
}

static void check_level(uint64_t address, const struct symbol_line *line, const char *outermost,
	char *function, char *place)
{
	cut_additions(function);
	cut_additions(place);
	ck_assert_msg(names_agree(line->function, function, outermost), "0x%lx: %s, addr2line: %s",
		address, line->function, function);
	ck_assert_msg(places_agree(line, place), "0x%lx in %s: %s:%u, addr2line: %s", address,
		function, line->file, line->line, place);
}

/* Every third byte of the program's .text; what lies between functions is left out. */
static void agrees_with_addr2line(const char *program)
{
	struct symbol_module *module = open_module(program);
	uint64_t low, high, address = 0;
	char *output, *rest = NULL, *function;
	const struct symbol_line *lines = NULL;
	size_t count = 0, level = 0, compared = 0, inlined = 0;

	text_of(program, &low, &high);
	output = fixture_output(directory,
		"seq %lu 3 %lu | xargs printf '%%x\\n' | addr2line -a -i -f -C -e %s", low,
		high - 1, program);
	for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strncmp(line, "0x", 2)) {
			ck_assert_msg(level == count, "0x%lx: %zu levels, addr2line: %zu", address,
				count, level);
			address = strtoull(line, NULL, 16);
			count = symbol_module_resolve(module, address, &lines);
			if (!count || !lines[count - 1].function)
				count = 0;
			level = 0;
			continue;
		}
		function = line;
		line = strtok_r(NULL, "\n", &rest);
		if (!count)
			continue;
		ck_assert_msg(
			level < count, "0x%lx: addr2line has another level: %s", address, function);
		check_level(address, &lines[level], level ? NULL : lines[count - 1].function,
			function, line);
		inlined += lines[level].is_inlined;
		level++;
		compared++;
	}
	ck_assert_uint_gt(compared, 100);
	ck_assert(inlined > 20 || strstr(program, "O0"));
	free(output);
	symbol_module_close(module);
}

START_TEST(test_agrees_with_addr2line)
{
	agrees_with_addr2line("chain");
	agrees_with_addr2line("cplus");
}
END_TEST

/* As compilers and linkers are told to write it. */
static const struct variant {
	const char *name, *flags;
} variants[] = {
	{"O0", "-O0"},
	{"O3", "-O3"},
	{"dwarf2", "-O2 -gdwarf-2 -gstrict-dwarf -gno-inline-points"},
	{"dwarf3", "-O2 -gdwarf-3"},
	{"dwarf4", "-O2 -gdwarf-4"},
	{"types", "-O2 -gdwarf-4 -fdebug-types-section"},
	{"packed", "-O2 -gz=zlib"},
	{"lto", "-O2 -flto=1"},
	{"nopie", "-O2 -no-pie"},
};

START_TEST(test_variants)
{
	const struct variant *variant = &variants[_i];

	fixture_run(
		directory, "gcc -g %s chain.c second.c -o %s 2>&1", variant->flags, variant->name);
	agrees_with_addr2line(variant->name);
}
END_TEST

START_TEST(test_without_aranges)
{
	fixture_run(directory, "objcopy --remove-section=.debug_aranges chain no_aranges");
	agrees_with_addr2line("no_aranges");
}
END_TEST

/* --- beside ourselves: addr2line cannot do these ------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Two programs of the same code have the same names; how many levels there were. */
static size_t same_names(const char *program, const char *expected)
{
	struct symbol_module *a = open_module(program), *b = open_module(expected);
	uint64_t low, high;
	size_t levels = 0;

	text_of(expected, &low, &high);
	for (uint64_t address = low; address < high; address++) {
		const struct symbol_line *ours, *theirs;
		size_t count = symbol_module_resolve(a, address, &ours);

		ck_assert_uint_eq(count, symbol_module_resolve(b, address, &theirs));
		for (size_t i = 0; i < count; i++) {
			ck_assert_msg(same_text(ours[i].function, theirs[i].function) &&
					      same_text(ours[i].file, theirs[i].file) &&
					      same_text(ours[i].decl_file, theirs[i].decl_file) &&
					      ours[i].line == theirs[i].line &&
					      ours[i].decl_line == theirs[i].decl_line &&
					      ours[i].entry == theirs[i].entry &&
					      ours[i].is_inlined == theirs[i].is_inlined,
				"0x%lx: %s %s:%u (%s:%u), in %s %s %s:%u (%s:%u)", address,
				ours[i].function, ours[i].file, ours[i].line, ours[i].decl_file,
				ours[i].decl_line, expected, theirs[i].function, theirs[i].file,
				theirs[i].line, theirs[i].decl_file, theirs[i].decl_line);
			levels += ours[i].function && ours[i].line;
		}
	}
	symbol_module_close(a);
	symbol_module_close(b);
	return levels;
}

START_TEST(test_64_bit_dwarf)
{
	fixture_run(directory, "gcc -g -O2 -gdwarf64 chain.c second.c -o wide");
	ck_assert_uint_gt(same_names("wide", "chain"), 300);
}
END_TEST

/*
 * What describes a function that the linker dropped stays, at address 0 and up: it is not our
 * code's, neither in another unit nor in the same one. (A kept one makes the code reach beyond its
 * end.)
 */
START_TEST(test_dropped_function)
{
	const char *flags = "-g -O2 -ffunction-sections -Wl,--gc-sections -Wl,-u,kept";

	fixture_run(directory, "sed s/dropped/kept/ dropped.c > kept.c");
	fixture_run(directory, "gcc %s chain.c second.c kept.c -o without", flags);
	fixture_run(directory, "gcc %s chain.c second.c kept.c dropped.c -o beside", flags);
	fixture_run(directory,
		"gcc %s -include dropped.c -c chain.c -o within.o && "
		"gcc %s within.o second.c kept.c -o within",
		flags, flags);
	ck_assert_uint_eq(fixture_symbol(directory, "within", "dropped"), 0);
	ck_assert_uint_gt(same_names("beside", "without"), 300);
	ck_assert_uint_gt(same_names("within", "without"), 300);
}
END_TEST

START_TEST(test_split_units)
{
	fixture_run(directory, "gcc -g -O2 -gsplit-dwarf -c chain.c second.c && "
			       "gcc chain.o second.o -o split");
	fixture_run(directory, "gcc -g -O2 -c chain.c second.c && gcc chain.o second.o -o whole");
	ck_assert_uint_gt(same_names("split", "whole"), 300);
}
END_TEST

START_TEST(test_separate_debug_file)
{
	struct symbol_module *module;
	struct symbol_sources sources;

	fixture_run(directory, "objcopy --only-keep-debug chain apart.debug && "
			       "objcopy --strip-all --add-gnu-debuglink=apart.debug chain apart");
	ck_assert_uint_gt(same_names("apart", "chain"), 300);
	module = open_module("apart");
	sources = symbol_module_sources(module);
	ck_assert_str_eq(sources.debug_path, fixture_path(directory, "apart.debug"));
	ck_assert_uint_ge(sources.unit_count, 2);
	ck_assert_uint_gt(sources.symtab_count, 5);
	symbol_module_close(module);
}
END_TEST

/* A server of debug information that is a directory. */
START_TEST(test_debuginfod)
{
	char *urls = fixture_output(directory, "printf 'file://%%s/server' \"$PWD\"");
	char *cache = fixture_output(directory, "printf '%%s/cache' \"$PWD\"");
	struct symbol_module *module;

	fixture_run(directory, "gcc -g -O2 -Wl,--build-id=sha1 chain.c second.c -o far_whole && "
			       "strip far_whole -o far && "
			       "id=$(readelf -n far | awk '/Build ID/ { print $3 }') && "
			       "mkdir -p server/buildid/$id && "
			       "objcopy --only-keep-debug far_whole server/buildid/$id/debuginfo");
	unsetenv("DEBUGINFOD_URLS");
	module = open_module("far");
	ck_assert_ptr_null(symbol_module_sources(module).debug_path);
	symbol_module_close(module);
	setenv("DEBUGINFOD_URLS", urls, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	ck_assert_uint_gt(same_names("far", "far_whole"), 300);
	free(urls);
	free(cache);
}
END_TEST

/* What dwz(1) moved into a partial unit, and into a file that two programs share. */
START_TEST(test_shared_debug_file)
{
	fixture_run(directory, "cp chain shared_a && "
			       "gcc -g -O2 -DOTHER chain.c second.c -o shared_b && "
			       "dwz -m shared.common shared_a shared_b");
	fixture_run(directory, "readelf -S shared_a | grep -q gnu_debugaltlink");
	ck_assert_uint_gt(same_names("shared_a", "chain"), 300);
}
END_TEST

/* --- functions ----------------------------------------------------------------------------------
 */

START_TEST(test_own_functions)
{
	struct elf_file *file = open_file("/proc/self/exe");
	struct symbol_module *module = symbol_module_open(file);
	const struct symbol_line *lines;
	uint64_t base, address;
	size_t count;

	/* The program's load address: where the kernel put its program headers, less where they
	 * are. */
	Dl_info here;

	ck_assert(dladdr((void *)same_names, &here));
	ck_assert(elf_file_addr(file, 0, &base));
	address = (uintptr_t)same_names - (uintptr_t)here.dli_fbase + base;
	count = symbol_module_resolve(module, address, &lines);
	ck_assert_uint_gt(count, 0);
	ck_assert_str_eq(lines[count - 1].function, "same_names");
	ck_assert_uint_eq(lines[count - 1].entry, address);
	ck_assert(!lines[count - 1].is_inlined);
	ck_assert_ptr_nonnull(strstr(lines[count - 1].decl_file, "tests/check_symbols.c"));
	ck_assert_uint_gt(lines[count - 1].decl_line, 100);
	ck_assert_uint_ge(lines[count - 1].line, lines[count - 1].decl_line);
	symbol_module_close(module);
	elf_file_close(file);
}
END_TEST

/* A function that is inlined here and called there has one name, with its scope and parameters. */
START_TEST(test_one_name_for_a_static_function)
{
	struct symbol_module *module = open_module("cplus");
	size_t inlined = 0, called = 0;
	uint64_t low, high;

	text_of("cplus", &low, &high);
	for (uint64_t address = low; address < high; address++) {
		const struct symbol_line *lines;
		size_t count = symbol_module_resolve(module, address, &lines);

		for (size_t i = 0; i < count; i++) {
			if (!lines[i].function || !strstr(lines[i].function, "helper"))
				continue;
			ck_assert_str_eq(
				lines[i].function, "outer::(anonymous namespace)::helper(int)");
			inlined += lines[i].is_inlined;
			called += !lines[i].is_inlined;
		}
	}
	ck_assert_uint_gt(inlined, 10);
	ck_assert_uint_gt(called, 10);
	symbol_module_close(module);
}
END_TEST

static void check_cold_part(const char *program, uint64_t cold, uint64_t hot)
{
	struct symbol_module *module = open_module(program);
	uint64_t entry;

	ck_assert_str_eq(function_at(module, cold, &entry), "same_name");
	ck_assert_uint_eq(entry, hot);
	ck_assert_str_eq(function_at(module, hot, &entry), "same_name");
	ck_assert_uint_eq(entry, hot);
	symbol_module_close(module);
}

/* With debug information, and by the symbol table alone, where two functions have the name. */
START_TEST(test_cold_part)
{
	char *output = fixture_output(directory,
		"nm -p chain | awk '/ same_name.cold$/ { cold = cold \" \" $1 }"
		" / same_name$/ { hot = hot \" \" $1 } END { print cold, hot }'");
	uint64_t cold[2], hot[2];

	ck_assert_int_eq(
		sscanf(output, "%lx %lx %lx %lx", &cold[0], &cold[1], &hot[0], &hot[1]), 4);
	fixture_run(directory, "strip -g chain -o symbols_only");
	for (int i = 0; i < 2; i++) {
		check_cold_part("chain", cold[i], hot[i]);
		check_cold_part("symbols_only", cold[i], hot[i]);
	}
	free(output);
}
END_TEST

/* Stripped, a function has no name, but its addresses are still one function's. */
START_TEST(test_stripped)
{
	struct symbol_module *module;
	struct symbol_sources sources;
	uint64_t first = fixture_symbol(directory, "chain", "first");
	uint64_t second = fixture_symbol(directory, "chain", "second");
	uint64_t entry;

	fixture_run(directory, "strip chain -o stripped");
	module = open_module("stripped");
	ck_assert_ptr_null(function_at(module, first, &entry));
	ck_assert_uint_eq(entry, first);
	ck_assert_ptr_null(function_at(module, first + 5, &entry));
	ck_assert_uint_eq(entry, first);
	ck_assert_ptr_null(function_at(module, second + 1, &entry));
	ck_assert_uint_eq(entry, second);
	sources = symbol_module_sources(module);
	ck_assert_uint_eq(sources.symtab_count, 0);
	ck_assert_ptr_null(sources.debug_path);
	ck_assert_uint_gt(sources.frame_count, 3);
	symbol_module_close(module);
}
END_TEST

/* The stubs as objdump labels them: "0000000000001030 <puts@plt>:" */
static void check_stubs(const char *program)
{
	char *output = fixture_output(directory, "objdump -d %s | grep '@plt>:$'", program);
	struct symbol_module *module = open_module(program);
	char *rest = NULL;
	size_t stubs = 0;

	for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char name[100];
		uint64_t address, entry;

		ck_assert_int_eq(sscanf(line, "%lx <%99[^>]>", &address, name), 2);
		ck_assert_msg(same_text(function_at(module, address, &entry), name),
			"%s: %s at 0x%lx", program, name, address);
		ck_assert_uint_eq(entry, address);
		ck_assert_str_eq(function_at(module, address + 5, NULL), name);
		stubs++;
	}
	ck_assert_msg(stubs >= 2, "%s has %zu stubs", program, stubs);
	symbol_module_close(module);
	free(output);
}

START_TEST(test_plt)
{
#ifndef __x86_64__
	return; /* stubs of other machines are not named */
#endif
	static const char *const flags[] = {"-Wl,-z,lazy", "-Wl,-z,now",
		"-fcf-protection=full -Wl,-z,ibtplt -Wl,-z,lazy", "-fcf-protection=full -Wl,-z,now",
		"-no-pie"};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		char program[20];

		snprintf(program, sizeof(program), "stubs%zu", i);
		fixture_run(directory, "gcc -O2 %s chain.c second.c -o %s && strip %s", flags[i],
			program, program);
		check_stubs(program);
	}
}
END_TEST

/* --- symbols beside nm --------------------------------------------------------------------------
 */

struct exported {
	uint64_t address;
	char type;
	char name[200];
};

struct exports {
	ARRAY(struct exported) items; /* sorted by address */
};

/* Functions of "ADDRESS TYPE NAME@@VERSION" lines. */
static void read_exports(struct exports *exports, char *output)
{
	char *rest = NULL;

	for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct exported item;

		if (sscanf(line, "%lx %c %199[^@]", &item.address, &item.type, item.name) == 3 &&
			strchr("TWi", item.type))
			*array_add(&exports->items) = item;
	}
}

/* Is `name` one that nm lists for this address, and a global one if there is one? */
static bool is_exported(const struct exports *exports, uint64_t address, const char *name)
{
	bool has_global = false, is_global = false, is_known = false;

	for (size_t i = 0; i < exports->items.count; i++) {
		const struct exported *item = &exports->items.items[i];

		if (item->address != address)
			continue;
		has_global |= item->type == 'T';
		if (!strcmp(item->name, name)) {
			is_known = true;
			is_global |= item->type != 'W';
		}
	}
	return is_known && (is_global || !has_global);
}

START_TEST(test_exported_functions)
{
	Dl_info libc;
	struct elf_file *file;
	struct symbol_table *table;
	struct exports exports = {0};
	size_t symtab, dynsym, frames;
	char *output;

	ck_assert(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc));
	output = fixture_output(directory, "nm -D --defined-only '%s' | sort", libc.dli_fname);
	read_exports(&exports, output);
	ck_assert_uint_gt(exports.items.count, 1000);
	file = open_file(libc.dli_fname);
	table = symbol_table_open(file, NULL);
	for (size_t i = 0; i < exports.items.count; i++) {
		uint64_t address = exports.items.items[i].address;
		struct symbol symbol;

		ck_assert(symbol_table_find(table, address, &symbol));
		ck_assert_msg(is_exported(&exports, address, symbol.name), "0x%lx: %s for %s",
			address, symbol.name, exports.items.items[i].name);
		ck_assert_uint_eq(symbol.entry, address);
	}
	symbol_table_counts(table, &symtab, &dynsym, &frames);
	ck_assert_uint_ge(dynsym, exports.items.count / 2);
	ck_assert_uint_gt(frames, dynsym);
	array_release(&exports.items);
	symbol_table_close(table);
	elf_file_close(file);
	free(output);
}
END_TEST

/* Assembly: labels with and without sizes, local ones, one inside another, and holes. */
START_TEST(test_symbol_bounds)
{
	struct symbol_module *module;
	uint64_t sized, entry;

	fixture_write(directory, "labels.S",
		".text\n"
		".globl sized\n.type sized, @function\nsized:\n.skip 16, 0x90\n"
		"inner:\n.skip 16, 0x90\n.size sized, 32\n"
		".skip 16, 0xcc\n" /* nobody's */
		".weak alias_weak\n.type alias_weak, @function\nalias_weak:\n"
		".type alias_local, @function\nalias_local:\n"
		".globl alias_global\n.type alias_global, @function\nalias_global:\n.skip 16, "
		"0x90\n"
		".size alias_weak, 16\n.size alias_local, 16\n.size alias_global, 16\n"
		".globl unsized\nunsized:\n.skip 32, 0x90\n"
		".globl main\n.type main, @function\nmain: ret\n.size main, . - main\n"
		".section .note.GNU-stack,\"\",@progbits\n");
	fixture_run(directory, "gcc labels.S -o labels");
	sized = fixture_symbol(directory, "labels", "sized");
	module = open_module("labels");
	ck_assert_str_eq(function_at(module, sized, NULL), "sized");
	ck_assert_str_eq(function_at(module, sized + 20, &entry), "sized");
	ck_assert_uint_eq(entry, sized);
	ck_assert_ptr_null(function_at(module, sized + 32, NULL));
	ck_assert_ptr_null(function_at(module, sized + 47, NULL));
	ck_assert_str_eq(function_at(module, sized + 48, NULL), "alias_global");
	ck_assert_str_eq(function_at(module, sized + 63, NULL), "alias_global");
	ck_assert_str_eq(function_at(module, sized + 64, NULL), "unsized");
	ck_assert_str_eq(function_at(module, sized + 95, NULL), "unsized");
	ck_assert_str_eq(function_at(module, sized + 96, NULL), "main");
	symbol_module_close(module);
}
END_TEST

/* --- demangling ---------------------------------------------------------------------------------
 */

START_TEST(test_demangle)
{
	static const struct {
		const char *mangled, *name;
	} names[] = {
		{"_ZN3foo3barEi", "foo::bar(int)"},
		{"_ZNSt6vectorIiSaIiEE9push_backERKi",
			"std::vector<int, std::allocator<int> >::push_back(int const&)"},
		{"_ZN3foo3barEi.part.0", "foo::bar(int) [clone .part.0]"},
		{"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
		{"_RNvC7mycrate4main", "mycrate::main"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *name = demangle(names[i].mangled);

		ck_assert_ptr_nonnull(name);
		ck_assert_str_eq(name, names[i].name);
		free(name);
	}
	ck_assert_ptr_null(demangle("main"));
	ck_assert_ptr_null(demangle("_Zebra"));
	ck_assert_ptr_null(demangle("_"));
	ck_assert_ptr_null(demangle(""));
}
END_TEST

/* Each level stands for twice the one before: 2^40 characters. */
START_TEST(test_demangle_explosion)
{
	char mangled[2000] = "_Z1fSt4pairIiiE";
	char *name;

	/* "S_" is pair<int, int>, "S0_" a pair of two of these, "S1_" a pair of two of those... */
	for (int i = -1; i < 34; i++) {
		static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
		char last[2] = {i < 0 ? '\0' : digits[i]};

		sprintf(mangled + strlen(mangled), "St4pairIS%s_S%s_E", last, last);
	}
	name = demangle(mangled);
	ck_assert(!name || strlen(name) <= DEMANGLED_MAX);
	free(name);
}
END_TEST

/* --- range_map ----------------------------------------------------------------------------------
 */

/* Splits [low, high) into nested ranges, and paints what must be found. */
static void nest(struct range_map *map, uint32_t *painted, uint32_t *next, uint64_t low,
	uint64_t high, uint32_t depth, uint32_t *random)
{
	uint32_t value = (*next)++;

	range_map_add(map, (struct range){low, high, value, depth});
	for (uint64_t i = low; i < high; i++)
		painted[i] = value;
	while (low < high && depth < 8) {
		uint64_t start = low + fixture_random(random) % (high - low);
		uint64_t end = start + 1 + fixture_random(random) % (high - start);

		if (fixture_random(random) % 3)
			nest(map, painted, next, start, end, depth + 1, random);
		low = end;
	}
}

START_TEST(test_range_map)
{
	uint32_t random = 7;

	for (int round = 0; round < 50; round++) {
		struct range_map map = {0};
		uint32_t painted[1200] = {0}, next = 1;

		nest(&map, painted, &next, 100, 600, 0, &random);
		nest(&map, painted, &next, 600, 700, 0, &random);
		nest(&map, painted, &next, 800, 1000, 0, &random);
		range_map_add(&map, (struct range){50, 50, 999, 0});
		range_map_add(&map, (struct range){60, 50, 999, 0});
		range_map_seal(&map);
		for (uint64_t i = 0; i < 1200; i++)
			ck_assert_uint_eq(range_map_find(&map, i), painted[i]);
		ck_assert_uint_gt(next, 10);
		range_map_release(&map);
	}
}
END_TEST

/* Ranges that cross are damage; whatever is said, it is one that holds the address. */
START_TEST(test_range_map_crossing)
{
	struct range ranges[40];
	uint32_t random = 9;

	for (int round = 0; round < 50; round++) {
		struct range_map map = {0};

		for (int i = 0; i < 40; i++) {
			uint64_t low = fixture_random(&random) % 500;

			ranges[i] = (struct range){low, low + 1 + fixture_random(&random) % 60,
				i + 1, fixture_random(&random) % 3};
			range_map_add(&map, ranges[i]);
		}
		range_map_seal(&map);
		for (uint64_t at = 0; at < 600; at++) {
			uint32_t found = range_map_find(&map, at);
			bool is_held = false;

			for (int i = 0; i < 40; i++)
				is_held |= ranges[i].low <= at && at < ranges[i].high;
			ck_assert(is_held == (found != 0));
			ck_assert(!found ||
				  (ranges[found - 1].low <= at && at < ranges[found - 1].high));
		}
		range_map_release(&map);
	}
}
END_TEST

/* --- the kernel ---------------------------------------------------------------------------------
 */

static struct kernel_symbols *open_kernel(const char *text, struct error *err)
{
	fixture_write(directory, "kallsyms", text);
	return kernel_symbols_open(fixture_path(directory, "kallsyms"), err);
}

static void check_kernel(const struct kernel_symbols *symbols, uint64_t address,
	const char *function, const char *module, uint64_t entry)
{
	struct kernel_symbol symbol;

	ck_assert(kernel_symbols_resolve(symbols, address, &symbol));
	ck_assert_str_eq(symbol.function, function);
	ck_assert(same_text(symbol.module, module));
	ck_assert_uint_eq(symbol.entry, entry);
}

START_TEST(test_kernel)
{
	struct error err = {""};
	struct kernel_symbols *symbols = open_kernel("0000000000014000 A cpu_tss_rw\n"
						     "ffffffffc0a2f000 t ext4_readdir\t[ext4]\n"
						     "ffffffff81000000 T _text\n"
						     "ffffffff81000000 t local_alias\n"
						     "ffffffff81000040 W weak_name\n"
						     "ffffffff81000040 t strong_local\n"
						     "ffffffff81000080 d not_code\n"
						     "ffffffff81000100 T last_of_kernel\n"
						     "ffffffffc0a2f100 T ext4_last\t[ext4]\n"
						     "ffffffffc0b00000 t init_module\t[nfs]\n"
						     "garbage\n\n",
		&err);
	struct kernel_symbol symbol;

	ck_assert_msg(symbols, "%s", err.text);
	check_kernel(symbols, 0xffffffff8100003f, "_text", NULL, 0xffffffff81000000);
	check_kernel(symbols, 0xffffffff81000085, "weak_name", NULL, 0xffffffff81000040);
	check_kernel(symbols, 0xffffffff81000fff, "last_of_kernel", NULL, 0xffffffff81000100);
	ck_assert(!kernel_symbols_resolve(symbols, 0xffffffff81001000, &symbol));
	check_kernel(symbols, 0xffffffffc0a2f0ff, "ext4_readdir", "ext4", 0xffffffffc0a2f000);
	check_kernel(symbols, 0xffffffffc0a2f180, "ext4_last", "ext4", 0xffffffffc0a2f100);
	check_kernel(symbols, 0xffffffffc0b00010, "init_module", "nfs", 0xffffffffc0b00000);
	ck_assert(!kernel_symbols_resolve(symbols, 0xffffffffc0b01000, &symbol));
	ck_assert(!kernel_symbols_resolve(symbols, 0x14000, &symbol));
	ck_assert(!kernel_symbols_resolve(symbols, 0, &symbol));
	kernel_symbols_close(symbols);
}
END_TEST

START_TEST(test_kernel_hidden)
{
	struct error err = {""};

	ck_assert_ptr_null(open_kernel("0000000000000000 T _text\n0000000000000000 t x\n", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "kptr_restrict"));
	ck_assert_ptr_null(open_kernel("", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "names no function"));
	ck_assert_ptr_null(kernel_symbols_open("/no/such/kallsyms", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
}
END_TEST

/* --- limits -------------------------------------------------------------------------------------
 */

START_TEST(test_outside)
{
	struct symbol_module *module = open_module("chain");
	const struct symbol_line *lines;
	uint64_t low, high;

	text_of("chain", &low, &high);
	ck_assert_uint_eq(symbol_module_resolve(module, 0, &lines), 0);
	ck_assert_uint_eq(symbol_module_resolve(module, high + 0x100000, &lines), 0);
	ck_assert_uint_eq(symbol_module_resolve(module, UINT64_MAX, &lines), 0);
	ck_assert_uint_gt(
		symbol_module_resolve(module, fixture_symbol(directory, "chain", "main"), &lines),
		0);
	symbol_module_close(module);
	symbol_module_close(NULL);
}
END_TEST

/* Names that this damaged image still gives for some addresses. */
static size_t resolve_some(const char *image, size_t size, uint64_t low, uint64_t high)
{
	struct elf_file *file = elf_file_from_memory(image, size, "damaged", NULL);
	struct symbol_module *module;
	size_t named = 0;

	if (!file)
		return 0;
	module = symbol_module_open(file);
	for (uint64_t address = low; address < high; address += (high - low) / 50 + 1) {
		const struct symbol_line *lines;
		size_t count = symbol_module_resolve(module, address, &lines);

		for (size_t i = 0; i < count; i++)
			named += lines[i].function && strlen(lines[i].function) > 0;
	}
	symbol_module_close(module);
	elf_file_close(file);
	return named;
}

/* Bits are flipped in the debug information, the headers, anywhere; and ends are cut off. */
START_TEST(test_damage)
{
	static const char *const sections[] = {".debug_info", ".debug_abbrev", ".debug_line",
		".debug_rnglists", ".debug_str", ".symtab", ".eh_frame", ".rela.plt"};
	struct elf_file *file = open_file(fixture_path(directory, "cplus"));
	size_t size, named = 0;
	char *image = fixture_bytes(directory, "cplus", &size);
	uint64_t low, high;
	uint32_t random = 3;

	text_of("cplus", &low, &high);
	for (int i = 0; i < 600; i++) {
		const char *name = sections[i % 8];
		struct elf_section section;
		size_t at = fixture_random(&random) % size;
		char saved;

		if (i % 16 < 8 && elf_file_section(file, name, &section) && section.size) {
			const char *found = memmem(image, size, section.bytes, section.size);

			ck_assert_ptr_nonnull(found);
			at = found - image + fixture_random(&random) % section.size;
		}
		saved = image[at];
		image[at] ^= 1 << fixture_random(&random) % 8;
		named += resolve_some(image, i % 10 ? size : at, low, high) > 0;
		image[at] = saved;
	}
	ck_assert_uint_gt(named, 300);
	free(image);
	elf_file_close(file);
}
END_TEST

static void add_core_tests(TCase *core)
{
	tcase_add_test(core, test_agrees_with_addr2line);
	tcase_add_loop_test(core, test_variants, 0, sizeof(variants) / sizeof(*variants));
	tcase_add_test(core, test_without_aranges);
	tcase_add_test(core, test_64_bit_dwarf);
	tcase_add_test(core, test_dropped_function);
	tcase_add_test(core, test_split_units);
	tcase_add_test(core, test_separate_debug_file);
	tcase_add_test(core, test_debuginfod);
	tcase_add_test(core, test_shared_debug_file);
	tcase_add_test(core, test_own_functions);
	tcase_add_test(core, test_one_name_for_a_static_function);
	tcase_add_test(core, test_cold_part);
	tcase_add_test(core, test_stripped);
	tcase_add_test(core, test_plt);
	tcase_add_test(core, test_exported_functions);
	tcase_add_test(core, test_symbol_bounds);
	tcase_add_test(core, test_demangle);
	tcase_add_test(core, test_range_map);
	tcase_add_test(core, test_kernel);
}

Suite *symbols_suite(void);
Suite *symbols_suite(void)
{
	Suite *suite = suite_create("symbols");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_unchecked_fixture(core, make_directory, remove_directory);
	tcase_set_timeout(core, 120);
	add_core_tests(core);
	suite_add_tcase(suite, core);

	tcase_add_unchecked_fixture(limits, make_directory, remove_directory);
	tcase_set_timeout(limits, 120);
	tcase_add_test(limits, test_outside);
	tcase_add_test(limits, test_demangle_explosion);
	tcase_add_test(limits, test_range_map_crossing);
	tcase_add_test(limits, test_kernel_hidden);
	tcase_add_test(limits, test_damage);
	suite_add_tcase(suite, limits);
	return suite;
}
