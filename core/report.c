/* SPDX-License-Identifier: MIT
 *
 * report.c: see report.h. Uses no allocation and no locale-dependent conversion.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_clear(fc_report *report) {
    if (report) memset(report, 0, sizeof *report);
}

int32_t report_fail(fc_report *report, int32_t status, const char *format, ...) {
    if (!report) return status;
    report_clear(report);
    report->status = status;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(report->message, sizeof report->message, format, arguments);
    va_end(arguments);
    if (written < 0) written = 0;
    report->message_len =
        (uint32_t)written <= FC_MESSAGE_LEN_MAX ? (uint32_t)written : FC_MESSAGE_LEN_MAX;
    return status;
}

const char *fc_status_text(int32_t status) {
    switch (status) {
#define FC_STATUS_CASE(name, value, meaning) \
    case value:                              \
        return meaning;
        FC_STATUS_TABLE(FC_STATUS_CASE)
#undef FC_STATUS_CASE
    default:
        return "unknown status";
    }
}
