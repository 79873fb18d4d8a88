/* SPDX-License-Identifier: MIT
 *
 * audit.h owns the look at a segment when all who used it have gone, most of them by force: the last
 * process of a run, which is alone, attaches, and everything has to be in order.
 */
#ifndef SIM_AUDIT_H
#define SIM_AUDIT_H

#include "mind.h"

void audit(mind *m);

#endif
