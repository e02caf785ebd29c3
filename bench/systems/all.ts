// All systems, natchet first.
import type { System } from "../system.ts";
import { bullmq } from "./bullmq.ts";
import { bunqueue } from "./bunqueue.ts";
import { dbos, dbosFast } from "./dbos.ts";
import { graphile, graphileBatched, graphileFast } from "./graphile.ts";
import { natchet, natchetApart, natchetAsIs, natchetSynced } from "./natchet.ts";
import { restate, restateFast } from "./restate.ts";

export const systems: readonly System[] = [
  natchet,
  natchetApart,
  natchetAsIs,
  natchetSynced,
  bullmq,
  graphile,
  graphileBatched,
  graphileFast,
  bunqueue,
  dbos,
  dbosFast,
  restate,
  restateFast,
];
