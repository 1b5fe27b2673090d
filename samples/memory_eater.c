/*
 * A list of records that grows in four steps, 64 MiB each, and is then freed; between the steps a
 * scratch buffer of 32 MiB comes and goes.
 *
 * See the peak of about 288 MiB: 256 MiB in grow_list and 32 MiB in use_scratch, nothing at the
 * end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STEPS = 4,
	RECORDS_PER_STEP = 65536,
	RECORD_BYTES = 1024 - 16, /* so that malloc's own two words make it 1 KiB */
	SCRATCH_BYTES = 32 << 20,
};

struct record {
	struct record *next;
	char text[RECORD_BYTES - sizeof(struct record *)];
};

static __attribute__((noipa)) struct record *grow_list(struct record *head)
{
	for (int i = 0; i < RECORDS_PER_STEP; i++) {
		struct record *record = malloc(sizeof(*record));

		if (!record)
			exit(1);
		memset(record->text, i, sizeof(record->text));
		record->next = head;
		head = record;
	}
	return head;
}

static __attribute__((noipa)) long use_scratch(const struct record *head)
{
	char *scratch = malloc(SCRATCH_BYTES);
	long sum = 0;

	if (!scratch)
		exit(1);
	memset(scratch, head->text[0], SCRATCH_BYTES);
	for (long i = 0; i < SCRATCH_BYTES; i += 4096)
		sum += scratch[i];
	usleep(100000); /* so that a curve over time shows the step */
	free(scratch);
	return sum;
}

static __attribute__((noipa)) long free_list(struct record *head)
{
	long count = 0;

	while (head) {
		struct record *next = head->next;

		free(head);
		head = next;
		count++;
	}
	return count;
}

int main(void)
{
	struct record *head = NULL;
	long sum = 0;

	for (int step = 0; step < STEPS; step++) {
		head = grow_list(head);
		sum += use_scratch(head);
	}
	printf("freed %ld records, sum %ld\n", free_list(head), sum);
	return 0;
}
