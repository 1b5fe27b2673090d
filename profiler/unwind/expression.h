/*
 * expression: the DWARF expressions (DWARF 5 section 2.5) that CFI uses where register + offset
 * does not do: signal trampolines, realigned stacks, PLT entries, hand-written assembly. The
 * evaluator has a stack of its own of bounded depth and makes a bounded number of steps. Part of
 * the walk.
 */
#pragma once

#include "unwind/walk.h"

/*
 * Evaluates with the registers of the frame whose rule it is. `first` is on the stack at the start
 * where DWARF says so (the CFA, for a register's rule); NULL for a CFA's own expression. False when
 * it needs what is not known, is not well-formed or takes too many steps.
 */
bool expression_evaluate(const struct unwind_expression *expression,
	const struct walk_source *source, const struct walk_registers *registers,
	const uint64_t *first, uint64_t *value);
