// `natchet/testing`: tasks without NATS, and a server that is thrown away.
export { type InlineOptions, type InlineRun, type InlineWorker, inline } from "./inline.ts";
export { type TestServer, testServer } from "./test-server.ts";
