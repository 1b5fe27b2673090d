/*
 * guess: the caller of code that has no CFI: JIT code, hand-written assembly, C libraries built
 * without it. By the bytes of a signal trampoline or of a prologue or epilogue, by the frame
 * pointer, or, when asked for, by searching the stack. Part of the walk; what it finds is marked as
 * guessed.
 */
#pragma once

#include "unwind/walk.h"

/* A walk has not ended. */
#define WALK_ON WALK_ENDS

/*
 * Moves `registers` from a frame with these flags to its caller. `is_mapped` is false when the ip
 * of frame 0 is in no executable mapping, as after a call through a null pointer. Returns WALK_ON
 * or how the walk ends. `flags` becomes the caller's; a trampoline is told by WALK_SIGNAL in
 * `own_flags`.
 */
enum walk_end guess_caller(const struct walk_source *source, struct walk_registers *registers,
	bool is_mapped, uint8_t *own_flags, uint8_t *flags, uint64_t *needed_address);

/*
 * How a walk ends that could not read this stack address: truncated when it lies above the copied
 * part of the same stack, or anywhere on another one.
 */
enum walk_end guess_unreadable(
	const struct walk_source *source, uint64_t address, bool is_other_stack);

/*
 * Whether a direct call of the function that holds `ip`, which rows cover, lies before this return
 * address.
 */
bool guess_is_call_of(const struct walk_source *source, uint64_t return_address, uint64_t ip);

/*
 * Whether it follows a direct call of some other function, and not of a PLT entry. (It may be right
 * all the same, when that other function ended in a jump to the one that holds `ip`.)
 */
bool guess_is_call_of_another(
	const struct walk_source *source, uint64_t return_address, uint64_t ip);
