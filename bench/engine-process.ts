// An engine process of the benchmark: `<url>`. It ends with the process that started it.
import { startEngine } from "../src/mod.ts";
import { now } from "./adapter.ts";
import { commands, say } from "./process.ts";

const [url = ""] = process.argv.slice(2);
const engine = await startEngine({ url, log: "warn" });
void engine.whenLeading().then(() => say("leading", { at: now() }));
for await (const command of commands()) if (command === "end") break;
process.exit();
