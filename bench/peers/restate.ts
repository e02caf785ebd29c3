// Restate in the client and worker processes of the benchmark. `url` names its ingress and its admin API: `<ingress>,<admin>`.
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { type Context, createEndpointHandler, service } from "@restatedev/restate-sdk";
import type { Adapter, Handle, Input, Output } from "../adapter.ts";

const name = "noop";

export const adapter: Adapter = {
  async connect(urls) {
    const [ingress = ""] = urls.split(",");
    const call = async (path: string, input: Input) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${ingress}/${name}/${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(input),
      });
      if (!answer.ok) throw new Error(`Restate answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Output;
    };
    const send = (input: Input) => call("execute/send", input);
    return {
      add: send,
      addMany: (inputs) => Promise.all(inputs.map(send)),
      addDelayed: () => Promise.reject(new Error("not measured")),
      run: (input) => call("execute", input),
      unfinished: async () => 0, // each is waited for
      close: async () => {},
    };
  },
  async work(urls, _, handle, { steps = 1 }) {
    const [, admin = ""] = urls.split(",");
    const server = createServer(createEndpointHandler({ services: [serviceOf(handle, steps)], logger: () => {} }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${admin}/deployments`, { method: "POST", headers, body: JSON.stringify({ uri }) });
    if (!answer.ok) throw new Error(`Restate takes no service: ${await answer.text()}`);
    return { stop: async () => void server.close() };
  },
};

function serviceOf(handle: Handle, steps: number) {
  const execute = async (ctx: Context, input: Input): Promise<Output> => {
    for (let n = 1; n < steps; n += 1) await ctx.run("step", () => ({ n }));
    return ctx.run("last", () => handle(input, { attempt: 1, log: () => {} }));
  };
  return service({ name, handlers: { execute } });
}
