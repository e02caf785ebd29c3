// natchet with an engine process of its own.
import { natchetAdapter } from "./natchet.ts";

export const adapter = natchetAdapter("off");
