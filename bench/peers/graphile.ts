// graphile-worker as it is without batching.
import { graphileAdapter } from "./graphile-adapter.ts";

export const adapter = graphileAdapter({});
