// What a probe sees of a process.
import { createServer } from "node:net";

export interface Probed {
  readonly status: number;
  readonly body: any;
}

export async function probe(url: string | undefined, path: string): Promise<Probed> {
  const response = await fetch(`${url}${path}`);
  const text = await response.text();
  return { status: response.status, body: path.startsWith("/metrics") ? text : JSON.parse(text) };
}

/** The value of one sample, written as the page writes it; undefined when it is not there. */
export async function sample(url: string | undefined, name: string): Promise<number | undefined> {
  const { body } = await probe(url, "/metrics");
  const line = (body as string).split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** A port that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
