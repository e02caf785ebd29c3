// The HTTP side: enqueue and answer at once, wait with a limit, stream what a run produces to the browser.
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { EnqueueNotConfirmed, InvalidData, type Natchet, ResultNotAwaited, RunNotFound } from "../../src/mod.ts";
import { page } from "./page.ts";
import { StoryWorker } from "./worker.ts";

export function appOf(natchet: Natchet): Hono {
  const { tell } = natchet.tasks(StoryWorker);
  const app = new Hono();

  // Stored, then answered: the run is executed whatever happens to this process.
  app.post("/stories", async (c) => {
    const { id } = await tell.enqueue(await c.req.json(), { timeout: "5s" });
    return c.json({ id, stream: `/stories/${id}/stream` }, 202);
  });

  // Waits, but not for ever, and not for a caller who has left.
  app.post("/stories/now", async (c) =>
    c.json(await tell.run(await c.req.json(), { timeout: "10s", signal: c.req.raw.signal })),
  );

  app.get("/stories/:id", async (c) => {
    const { state, output } = await natchet.get("tell-story", c.req.param("id")).status();
    return c.json({ state, output });
  });

  // From the first chunk, however late the browser comes; ends with the run, or when the browser leaves.
  app.get("/stories/:id/stream", async (c) => {
    const run = natchet.get("tell-story", c.req.param("id"));
    await run.status(); // an unknown run is a 404, and not an empty stream
    return streamSSE(c, async (stream) => {
      for await (const { value } of run.stream({ signal: c.req.raw.signal }))
        await stream.writeSSE({ data: JSON.stringify(value) });
      await stream.writeSSE({ event: "end", data: "" });
    });
  });

  app.get("/", (c) => c.html(page));

  app.onError((error, c) => {
    if (error instanceof InvalidData) return c.json({ error: error.message }, 400);
    if (error instanceof RunNotFound) return c.json({ error: error.message }, 404);
    if (error instanceof ResultNotAwaited) return c.json({ key: error.key, state: "still working" }, 202);
    if (error instanceof EnqueueNotConfirmed) return c.json({ error: "try again" }, 503);
    throw error;
  });
  return app;
}
