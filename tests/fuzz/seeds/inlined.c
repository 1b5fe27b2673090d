/* Inlined calls, blocks, several functions and lines, in few bytes. */
struct node {
	struct node *next;
	int value;
};

static inline int weight(int value)
{
	for (int i = 0; i < 3; i++) {
		int square = value * value;

		value += square >> i;
	}
	return value;
}

static inline __attribute__((always_inline)) int heavier(const struct node *node)
{
	return weight(node->value) + weight(node->value + 1);
}

__attribute__((noinline)) int sum(const struct node *node)
{
	int all = 0;

	for (; node; node = node->next)
		all += heavier(node);
	return all;
}

__attribute__((noinline, cold)) int cold_path(int value)
{
	return weight(value) / 3;
}

int shared(int value);

__attribute__((noinline)) static int by_library(int value)
{
	return shared(value) + shared(value + 1);
}

int main(int argc, char **argv)
{
	struct node last = {0, argc}, first = {&last, 1};

	(void)argv;
	if (argc > 5)
		return cold_path(argc);
	return sum(&first) + by_library(argc);
}

void _start(void)
{
	main(0, 0);
	for (;;)
		;
}
