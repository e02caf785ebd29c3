// `bun run examples/agent/worker.ts`, then in a second terminal:
//   natchet run ask '{"question":"Paris, Rome, Oslo"}'
import { start } from "../../src/mod.ts";
import { Agent } from "./agent.ts";

await start(Agent);
