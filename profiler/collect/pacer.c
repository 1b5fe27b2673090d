#include "collect/pacer.h"

#define SETTLE_NS    200000000.0 /* what happened longer ago counts less and less */
#define LEAST_WEIGHT 0.02
#define CREDIT_NS    500000000.0
#define LONGEST_NS   1000000000u

void pacer_init(struct pacer *pacer, uint64_t rate_hz, double limit_percent)
{
	*pacer = (struct pacer){
		.shortest_ns = 1000000000u / rate_hz, .limit = limit_percent / 100, .speed = 1};
}

/* Moves an average towards a value, by the weight of the time for which it held. */
static void move(double *average, double value, double elapsed_ns)
{
	double weight = elapsed_ns / (elapsed_ns + SETTLE_NS);

	if (weight < LEAST_WEIGHT)
		weight = LEAST_WEIGHT;
	*average += (value - *average) * weight;
}

/* What was paid for, and not used, is kept for a short while only. */
static void pay(struct pacer *pacer, uint64_t cost_ns, uint64_t program_ns)
{
	double most = CREDIT_NS * pacer->limit;

	pacer->debt_ns += (double)cost_ns - pacer->limit * (double)program_ns;
	if (pacer->debt_ns < -most)
		pacer->debt_ns = -most;
}

uint64_t pacer_next(
	struct pacer *pacer, uint64_t cost_ns, uint64_t elapsed_ns, uint64_t program_cpu_ns)
{
	uint64_t program_ns = program_cpu_ns > elapsed_ns ? program_cpu_ns : elapsed_ns;
	double owed_ns;

	pacer->cost_ns += cost_ns;
	pacer->program_ns += program_ns;
	pay(pacer, cost_ns, program_ns);
	if (elapsed_ns > 0) {
		move(&pacer->look_cost_ns, (double)cost_ns, (double)elapsed_ns);
		move(&pacer->speed, (double)program_ns / (double)elapsed_ns, (double)elapsed_ns);
	}
	owed_ns = pacer->debt_ns > pacer->look_cost_ns ? pacer->debt_ns : pacer->look_cost_ns;
	owed_ns /= pacer->limit * pacer->speed;
	if (owed_ns < (double)pacer->shortest_ns)
		return pacer->shortest_ns;
	return owed_ns < LONGEST_NS ? (uint64_t)owed_ns : LONGEST_NS;
}

uint64_t pacer_cost_ppm(const struct pacer *pacer)
{
	return pacer->program_ns
		       ? (uint64_t)((double)pacer->cost_ns * 1e6 / (double)pacer->program_ns)
		       : 0;
}
