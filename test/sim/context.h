/* SPDX-License-Identifier: MIT
 *
 * context.h owns the switch from one stack to another: what a coroutine is made of. Only what a C
 * function has to keep for its caller is kept, so a switch takes some nanoseconds.
 */
#ifndef SIM_CONTEXT_H
#define SIM_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

/* Leaves this stack, after noting its place in *from, and goes on where `to` stands. */
void context_switch(void **from, void *to);
/* A place that begins with entry(), which never returns, on the `bytes` at `stack`. */
void *context_new(uint8_t *stack, size_t bytes, void (*entry)(void));

#endif
