// The CPU time and the memory that processes use, where the system tells it (Linux).
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;
const pageBytes = 4_096;

/** User and system time of a process and its descendants, ended ones too, in milliseconds; NaN where it cannot be read. */
export function cpuTimeMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return (ticks * 1_000) / ticksPerSecond + childrenOf(pid).reduce((sum, child) => sum + (cpuTimeMs(child) || 0), 0);
  } catch {
    return Number.NaN;
  }
}

/** The resident memory of a process in bytes; NaN where it cannot be read. */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * pageBytes;
  } catch {
    return Number.NaN;
  }
}

function childrenOf(pid: number): number[] {
  const ofThread = (thread: string) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ");
  return readdirSync(`/proc/${pid}/task`).flatMap(ofThread).filter(Boolean).map(Number);
}
