/*
 * For builds with SANITIZE=address: what the libraries leak is not ours. libgccjit 12 does not free
 * all of what a compilation takes, libhdf5 1.10 not all of what it read of a damaged file.
 */
#ifdef __SANITIZE_ADDRESS__

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libgccjit\nleak:libhdf5";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

#endif
