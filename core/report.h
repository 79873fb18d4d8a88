/* SPDX-License-Identifier: MIT
 *
 * report.h owns how a failure is told: a status and its text (fc_status_text is in report.c), and a
 * message with what was wrong, the number, the limit and the remedy.
 */
#ifndef FC_REPORT_H
#define FC_REPORT_H

#include "include/fastcache.h"

/* Forgets what a report said before. `report` may be null, here and below. */
void report_clear(fc_report *report);

/* Fills in the report and returns `status`. Messages too long are cut. */
__attribute__((format(printf, 3, 4))) int32_t report_fail(fc_report *report, int32_t status,
                                                          const char *format, ...);

#endif
