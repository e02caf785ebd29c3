import type { Log } from "../../domain/log.ts";
import type { NatsLink } from "../../nats/link.ts";
import type { TranscriptStore } from "../../nats/transcripts.ts";
import type { Vault } from "../../sealing/vault.ts";
import type { Attempt } from "../attempt.ts";
import { consoleOf } from "./line.ts";
import { Transcript } from "./transcript.ts";
import type { Voice } from "./voice.ts";

interface VoicesParts {
  readonly link: NatsLink;
  readonly log: Log;
  readonly transcripts: TranscriptStore;
  readonly vault?: Vault | undefined;
}

/** That nothing is stored concerns all runs alike: how often it is logged at most. */
const tellEveryMs = 10_000;

/** The voices of the attempts of a worker, which has this name. */
export function voicesOf(
  worker: string,
  { link, log, transcripts: store, vault }: VoicesParts,
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
