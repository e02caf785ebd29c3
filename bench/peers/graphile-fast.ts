// graphile-worker with batches that are large enough for a long backlog.
import { graphileAdapter } from "./graphile-adapter.ts";

export const adapter = graphileAdapter({
  localQueue: { size: 20_000 },
  completeJobBatchDelay: 10,
  failJobBatchDelay: 10,
});
