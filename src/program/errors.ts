// SPDX-License-Identifier: MIT
//
// The two ways in which the program says no: a command line that makes no sense (exit status 2), and what was
// not found or is refused (1). Each is one line on standard error.

/** The command line cannot be understood. */
export class UsageError extends Error {}

/** What was asked for is not there, or must not be done. */
export class Refusal extends Error {}
