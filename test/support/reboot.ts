// SPDX-License-Identifier: MIT
//
// What a machine that was booted anew finds: the number of the boot that a segment's file was last
// used in is another one. Its place is that of `boot_id` in core/layout.h.

import { closeSync, openSync, readSync, writeSync } from "node:fs";

const BOOT_ID_OFFSET = 136;

/** As if the machine had been booted since the file was last used. Nobody may have it open. */
export function reboot(path: string): void {
  const file = openSync(path, "r+");
  const number = new Uint8Array(8);
  readSync(file, number, 0, 8, BOOT_ID_OFFSET);
  number[0] = (number[0] as number) ^ 1;
  writeSync(file, number, 0, 8, BOOT_ID_OFFSET);
  closeSync(file);
}
