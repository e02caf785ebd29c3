// The engine process of the benchmark.
import { startEngine } from "../src/mod.ts";
import { say } from "./process.ts";

const engine = await startEngine({ log: "warn" });
await engine.whenLeading();
say("leading");
await engine.stopped;
