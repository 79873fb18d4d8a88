/* SPDX-License-Identifier: MIT
 *
 * attachment.h owns what the handles of one thread on one segment share (contract S8): the open
 * file with its slot, and the mapping. So a thread has one slot of a segment, however many handles
 * it opens, drops, or leaves behind when it ends: what it left is taken by the next that comes.
 *
 * A segment is known by its file's device and inode, which no other file gets while we hold it
 * open. Two copies of the library in one process know nothing of each other: they are as two
 * processes.
 */
#ifndef FC_ATTACHMENT_H
#define FC_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct attachment {
    struct attachment *next;
    uint64_t device, inode;
    uint64_t thread;  /* as os_thread_id tells; 0: it has ended */
    uint32_t handles; /* that use it; 0: not in the table yet */
    uint32_t lost;    /* 1: the file was cut short under us; see os_map */
    uint8_t *base;
    uint64_t size_bytes; /* mapped; the file may have been overwritten by a larger segment since */
    int fd;        /* our own open file: holds our slot's liveness byte, so nobody inherits it */
    int shared_fd; /* another open file of it, for others to inherit; -1 if it can't be had */
    uint32_t slot_index;
    uint64_t owner; /* our lock word: incarnation << 32 | slot + 1 */
} attachment;

/* The calling thread's attachment to that file with so many bytes mapped, or else one whose thread
 * has ended, with one handle more; null if there is none. Thread-safe, like all of these. */
attachment *attachment_join(uint64_t device, uint64_t inode, uint64_t size_bytes);
/* From now on the calling thread's, with one handle. */
void attachment_add(attachment *a);
/* One handle less. True if it was the last: then it is the caller's to take down and to free. */
bool attachment_leave(attachment *a);

/* The calling thread ends. What its handles still use stays, for other threads may use them. */
void attachment_end_thread(void);
/* In a child after fork(): closes what belongs to the parent, whose slots would look alive after
 * its death. The mappings stay: other threads' stacks do not exist here. So do the descriptors for
 * others to inherit: they hold no lock, and the parent may have told the child their numbers. */
void attachment_forget_all(void);

#endif
