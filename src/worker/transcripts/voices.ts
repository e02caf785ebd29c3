// How the attempts of a worker get their voices: what a task logs, streams and reports goes into a transcript.
import type { Attempt } from "../attempt.ts";
import type { WorkerParts } from "../worker-parts.ts";
import { consoleOf } from "./line.ts";
import { Transcript } from "./transcript.ts";
import type { Voice } from "./voice.ts";

/** How often it is logged at most that nothing is stored: that concerns all runs alike. Units: milliseconds */
const tellEveryMs = 10_000;

/** The voices of the attempts of a worker, which has this name. */
export function voicesOf(
  worker: string,
  { link, log, transcripts: store, vault }: Pick<WorkerParts, "link" | "log" | "transcripts" | "vault">,
): (attempt: Attempt) => Voice {
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (run: string, reason: string) => {
    if (performance.now() - toldAt < tellEveryMs) return;
    toldAt = performance.now();
    log.warn("logs and chunks of a run are not stored", { worker, run, reason });
  };
  const now = () => link.clock.now();
  return ({ assignment, isOver }) => {
    const { key } = assignment;
    const onTrouble = (reason: string) => tell(key, reason);
    return new Transcript({ assignment, store, now, isOver, onTrouble, vault, console: consoleOf(log, worker, key) });
  };
}
