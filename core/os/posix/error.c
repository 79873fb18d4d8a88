/* SPDX-License-Identifier: MIT
 *
 * error.c: what error numbers mean to the core, and to its users.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <string.h>

#include "../../include/fastcache.h"
#include "../os.h"
#include "internal.h"

const char *os_error_text(os_error error) {
    switch (error) {
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EISDIR:
        return "it is a directory; choose another path";
    case EACCES:
        return "permission denied; this user has to be able to read and write it";
    case EMFILE:
        return "this process has too many open files; close some, or raise its limit (ulimit -n)";
    case ENOMEM:
        return no_memory_text;
    case EFBIG:
        return "this process may not make files so large; use a smaller size, or raise its limit "
               "(ulimit -f)";
    default:
        return strerror(error);
    }
}

int32_t os_error_status(os_error error) {
    switch (error) {
    case 0:
        return FC_OK;
    case EACCES:
    case EPERM:
    case EROFS:
        return FC_PERMISSION;
    case ENOENT:
        return FC_NOT_FOUND;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EDQUOT:
    case ENOLCK:
        return FC_NO_SPACE;
    default:
        return FC_INVALID_ARGUMENT;
    }
}
