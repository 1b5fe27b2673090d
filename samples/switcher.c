/*
 * Two processes that hand a byte to and fro through two pipes: nothing but context switches.
 *
 *     main -> play_ping      writes, then waits for the answer
 *     child -> play_pong     waits, then answers
 *
 * `switcher ROUNDS` (100000) plays so many rounds, two switches each. See that nothing is lost, and
 * what the recording costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static __attribute__((noipa)) long play_ping(int out, int in, long rounds)
{
	long played = 0;
	char ball = 0;

	while (played < rounds && write(out, &ball, 1) == 1 && read(in, &ball, 1) == 1)
		played++;
	return played;
}

static __attribute__((noipa)) long play_pong(int out, int in)
{
	long played = 0;
	char ball;

	while (read(in, &ball, 1) == 1 && write(out, &ball, 1) == 1)
		played++;
	return played;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 100000, played;
	int there[2], back[2], status = 1;
	double start;
	pid_t child;

	if (rounds < 1) {
		fprintf(stderr, "usage: switcher [ROUNDS]\n");
		return 2;
	}
	if (pipe(there) || pipe(back) || (child = fork()) < 0) {
		perror("switcher");
		return 1;
	}
	if (child == 0) {
		close(there[1]);
		close(back[0]);
		_exit(play_pong(back[1], there[0]) != rounds);
	}
	close(there[0]);
	close(back[1]);
	start = now_s();
	played = play_ping(there[1], back[0], rounds);
	printf("%ld rounds in %.3f s\n", played, now_s() - start);
	close(there[1]);
	waitpid(child, &status, 0);
	return played != rounds || status;
}
