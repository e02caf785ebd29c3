// graphile-worker with the batching options of its performance page.
import { graphileAdapter } from "./graphile-adapter.ts";

export const adapter = graphileAdapter({ localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 });
