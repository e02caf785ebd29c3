// The CPU time that a process has used so far, where the system tells it (Linux).
import { readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** User and system time in milliseconds; NaN where it cannot be read. */
export function cpuTimeMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}
