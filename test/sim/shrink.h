/* SPDX-License-Identifier: MIT
 *
 * shrink.h owns making a failing run small: processes, operations, deaths, stops and switches are
 * left out as long as the same promise is broken (delta debugging: Zeller, Hildebrandt, "Simplifying
 * and isolating failure-inducing input", IEEE TSE 2002). Then it is told.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "settings.h"

/* `seconds`: that long at most. `steps`: tells every step. False if the seed does not fail, or not
 * again in the same way. */
bool shrink(const settings *s, uint32_t seconds, bool steps);

#endif
