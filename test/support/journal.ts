// A file that every process of a test appends one JSON line to: what really happened, whoever died meanwhile.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { waitFor } from "./wait-for.ts";

export interface JournalLine {
  readonly event: string;
  readonly at: number;
  readonly pid: number;
  readonly run?: string;
  readonly [field: string]: unknown;
}

export class Journal {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Appends one line; a single small write, so that lines of several processes never mix. */
  write(event: string, fields: Record<string, unknown> = {}): void {
    appendFileSync(this.path, `${JSON.stringify({ event, at: Date.now(), pid: process.pid, ...fields })}\n`);
  }

  read(event?: string): JournalLine[] {
    if (!existsSync(this.path)) return [];
    const lines = readFileSync(this.path, "utf8").split("\n").filter(Boolean);
    const parsed = lines.map((line) => JSON.parse(line) as JournalLine);
    return event === undefined ? parsed : parsed.filter((line) => line.event === event);
  }

  /** Waits until `count` lines of the event that satisfy `matches` are there, and returns them. */
  async until(event: string, count: number, timeoutMs: number, matches: (line: JournalLine) => boolean = () => true) {
    const found = () => this.read(event).filter(matches);
    await waitFor(
      () => found().length >= count,
      timeoutMs,
      () => `${count} lines "${event}", found ${found().length}`,
    );
    return found();
  }
}
