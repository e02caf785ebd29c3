// Runs on Node: `npm run client`. Node 22.18 and newer run this file as it is; for Node 20, compile it. Only the type of the worker is
// imported, so that none of its code is loaded here, and `natchet/client` starts neither a server nor an engine.
import { connect } from "natchet/client";
import type { ImageWorker } from "./worker.ts";

const natchet = await connect();
const images = natchet.tasks<ImageWorker>();

const { file } = await images.resize.run({ name: "cat", width: 300 });
console.log("resized:", file);

const run = await images.resize.enqueue({ name: "dog", width: 80 }, { id: "dog-80" });
console.log("stored:", run.key);
console.log("result:", (await run.result({ timeout: "1m" })).file);

await natchet.close();
