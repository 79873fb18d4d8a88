// Runs a program that prints one JSON object per line.

import { run } from "../scripts/lib/process.mjs";

const LIMIT_SECONDS = 3600;

/** The objects. Says what it measures, since that may take minutes. */
export async function measure(title, program, parameters = []) {
  console.error(`measuring ${title} ...`);
  const { code, output } = await run([program, ...parameters], { quiet: true, limitSeconds: LIMIT_SECONDS });
  if (code !== 0) throw new Error(`${program} failed with exit code ${code}:\n${output}`);
  const rows = output.split("\n").filter((line) => line.startsWith("{"));
  if (rows.length === 0) throw new Error(`${program} has measured nothing:\n${output}`);
  return rows.map((line) => JSON.parse(line));
}
