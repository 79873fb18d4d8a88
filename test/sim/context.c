/* SPDX-License-Identifier: MIT
 *
 * context.c: see context.h. By the calling conventions of System V for x86-64 and of AAPCS64.
 */
#include "context.h"

#include <string.h>

#if defined(__x86_64__)
#define SAVED_WORDS 6
#define ENTRY_WORD SAVED_WORDS
#define FRAME_WORDS (SAVED_WORDS + 2) /* the entry, and a return address that is never used */
__asm__(".text\n"
        ".globl context_switch\n"
        ".type context_switch,@function\n"
        "context_switch:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp,(%rdi)\n"
        "movq %rsi,%rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\n"
        "ret\n"
        ".size context_switch,.-context_switch\n");
#elif defined(__aarch64__)
#define ENTRY_WORD 11 /* x30 */
#define FRAME_WORDS 20
__asm__(".text\n"
        ".globl context_switch\n"
        ".type context_switch,%function\n"
        "context_switch:\n"
        "sub sp,sp,#160\n"
        "stp x19,x20,[sp,#0]\nstp x21,x22,[sp,#16]\nstp x23,x24,[sp,#32]\n"
        "stp x25,x26,[sp,#48]\nstp x27,x28,[sp,#64]\nstp x29,x30,[sp,#80]\n"
        "stp d8,d9,[sp,#96]\nstp d10,d11,[sp,#112]\n"
        "stp d12,d13,[sp,#128]\nstp d14,d15,[sp,#144]\n"
        "mov x9,sp\nstr x9,[x0]\n"
        "mov sp,x1\n"
        "ldp x19,x20,[sp,#0]\nldp x21,x22,[sp,#16]\nldp x23,x24,[sp,#32]\n"
        "ldp x25,x26,[sp,#48]\nldp x27,x28,[sp,#64]\nldp x29,x30,[sp,#80]\n"
        "ldp d8,d9,[sp,#96]\nldp d10,d11,[sp,#112]\n"
        "ldp d12,d13,[sp,#128]\nldp d14,d15,[sp,#144]\n"
        "add sp,sp,#160\n"
        "ret\n"
        ".size context_switch,.-context_switch\n");
#else
#error "test/sim has no switch of stacks for this processor"
#endif

void *context_new(uint8_t *stack, size_t bytes, void (*entry)(void)) {
    uint64_t *top = (uint64_t *)(void *)(stack + (bytes & ~(size_t)15));
    uint64_t *frame = top - FRAME_WORDS;
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    frame[ENTRY_WORD] = (uint64_t)(uintptr_t)entry;
    return frame;
}
