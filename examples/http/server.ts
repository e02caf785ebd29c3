// Serves the app on Bun and on Deno: `bun run examples/http/server.ts`, and the worker beside it: `bun run examples/http/worker.ts`.
import { connect } from "../../src/mod.ts";
import { appOf } from "./app.ts";

interface Server {
  readonly port: number;
  stop(): Promise<void>;
}
/** What this program uses of Deno. */
interface DenoServe {
  serve(
    options: { port: number; hostname: string; onListen(): void },
    fetch: (request: Request) => unknown,
  ): {
    readonly addr: { readonly port: number };
    shutdown(): Promise<void>;
  };
}

function serve(fetch: (request: Request) => Response | Promise<Response>): Server {
  const where = { port: Number(process.env.PORT ?? 3000), hostname: process.env.HOST ?? "127.0.0.1" };
  if ("Deno" in globalThis) {
    const { Deno } = globalThis as unknown as { Deno: DenoServe };
    const server = Deno.serve({ ...where, onListen: () => {} }, fetch);
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  const server = Bun.serve({ ...where, fetch, idleTimeout: 60 });
  return { port: server.port!, stop: () => server.stop() };
}

const natchet = await connect();
const server = serve(appOf(natchet).fetch);
console.log(`listening on http://127.0.0.1:${server.port}`);

process.once("SIGTERM", async () => {
  await server.stop(); // answers what it has begun
  await natchet.close();
  process.exit(0);
});
