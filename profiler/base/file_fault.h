/*
 * file_fault: mapped files that become shorter while they are read.
 *
 * The kernel answers the touch of a page behind the file's new end with SIGBUS, which would end the
 * recording: because a program was copied over, or cuts its own files off to that end. From here on
 * such a page reads as zeros, which is what a reader of bytes that nobody vouches for can deal
 * with.
 */
#pragma once

/* Of the whole process; once, at its start. Programs that are started do not inherit it. */
void file_faults_read_zeros(void);
