// Three real nats-servers on loopback that form a cluster, gone with the test process whatever happens to it.
import { createServer } from "node:net";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import { waitFor } from "./wait-for.ts";

export interface NatsCluster {
  readonly nodes: readonly NatsServer[];
  /** All three addresses. */
  readonly url: string;
  /** The node that leads a stream. */
  leaderOf(stream: string): Promise<NatsServer>;
  /** Resolves when every replica of the stream is current. */
  untilInSync(stream: string): Promise<void>;
  stop(): Promise<void>;
}

interface StreamInfo {
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

const size = 3;

export async function startNatsCluster(): Promise<NatsCluster> {
  const ports = await freePorts(size);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ");
  const configOf = (port: number, n: number) => `
    server_name: n${n}
    cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
  const nodes = await Promise.all(ports.map((port, n) => startNatsServer({ config: configOf(port, n) })));
  const url = nodes.map((node) => node.url).join(",");
  const nc = await connect({ servers: url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const infoOf = async (stream: string): Promise<StreamInfo> => {
    const reply = await nc.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: 1_000 }).catch(() => undefined);
    return (reply?.json() as StreamInfo | undefined) ?? {};
  };
  return {
    nodes,
    url,
    leaderOf: async (stream) => {
      let leader: string | undefined;
      const isLed = async () => {
        leader = (await infoOf(stream)).cluster?.leader;
        return leader !== undefined && leader !== "";
      };
      await waitFor(isLed, 20_000, `a leader of ${stream}`);
      return nodes[Number(leader!.slice(1))]!;
    },
    untilInSync: (stream) =>
      waitFor(
        async () => {
          const { leader, replicas = [] } = (await infoOf(stream)).cluster ?? {};
          return Boolean(leader) && replicas.length === size - 1 && replicas.every(({ current }) => current);
        },
        30_000,
        `the replicas of ${stream} to be current`,
      ),
    stop: async () => {
      await nc.close();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** All are held until the last is known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
