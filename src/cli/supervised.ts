// What a worker process reports to the `natchet dev` that supervises it: lines on a pipe, file descriptor 3.
import { writeSync } from "node:fs";
import { currentRun } from "../mod.ts";
import { isSupervised } from "../runtime/environment.ts";

const words = ["loaded", "ready", "failed", "ended-by"] as const;

export interface WorkerWord {
  readonly word: (typeof words)[number];
  /** With `ended-by`. */
  readonly run?: string | undefined;
}

export function tellSupervisor(word: WorkerWord["word"], run = ""): void {
  if (!isSupervised()) return;
  try {
    writeSync(3, `${word} ${run}\n`);
  } catch {
    // It is gone: then stdin ends as well.
  }
}

/** Reports whose code calls `process.exit`. */
export function tellOfExit(): void {
  if (!isSupervised()) return;
  process.on("exit", () => {
    const run = surroundingRun();
    if (run !== undefined) tellSupervisor("ended-by", run);
  });
}

/** The supervisor holds the other end of stdin: when it dies, so does this process, drained. */
export function followSupervisor(): void {
  if (!isSupervised()) return;
  process.stdin.once("end", () => process.kill(process.pid, "SIGTERM"));
  process.stdin.resume();
}

function surroundingRun(): string | undefined {
  try {
    const { task, runId } = currentRun();
    return `${task}/${runId}`;
  } catch {
    return undefined; // natchet's own end of the process
  }
}

/** Splits a pipe's input into lines, and reads them. */
export class LineReader {
  readonly #heard: (word: WorkerWord) => void;
  #rest = "";

  constructor(heard: (word: WorkerWord) => void) {
    this.#heard = heard;
  }

  read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const word = words.find((each) => line === each || line.startsWith(`${each} `));
      if (word !== undefined) this.#heard({ word, run: line.slice(word.length + 1) });
    }
  }
}
