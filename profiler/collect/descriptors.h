/*
 * descriptors: how many files cprof may have open. Many CPUs, or threads, need several each; the
 * limit is raised for cprof alone, since the program's helper was forked before.
 */
#pragma once

void descriptors_raise_limit(void);
