// The lease between engines that come, go, freeze and lose the server.
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { currentFormat, leaseOfFormat } from "../../src/nats/format.ts";
import { Lease, leaseTiming } from "../../src/nats/lease.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene, outageOf, type Scene } from "./scene.ts";

const subjects = new Subjects("test");

/** A candidate with a connection of its own. */
async function candidate({ link, run }: Scene, engine: string): Promise<Lease> {
  const nats = await link();
  await run(ensureStreams(nats, subjects, { replicas: 1 }));
  return new Lease(nats, await run(makePublisher(nats, { stream: `KV_${subjects.leaseBucket}` })), subjects, engine);
}

const claimWithin = async (lease: Lease, ms: number) => {
  let claim = await lease.claim(Date.now());
  const isClaimed = async () => {
    claim ??= await lease.claim(Date.now());
    return claim !== undefined;
  };
  await waitFor(isClaimed, ms, "the lease");
  return claim!;
};

test("lease: one of many candidates gets it, and its epoch grows with every claim", () =>
  inScene(async (scene) => {
    const candidates = await Promise.all(["a", "b", "c", "d"].map((engine) => candidate(scene, engine)));
    const claims = await Promise.all(candidates.map((lease) => lease.claim(Date.now())));
    assert.equal(claims.filter(Boolean).length, 1);
    const holder = candidates[claims.findIndex(Boolean)]!;
    const others = candidates.filter((lease) => lease !== holder);
    assert.equal(await holder.renew(Date.now()), true);
    assert.equal(await others[0]!.claim(Date.now()), undefined);
    const ledger = [{ key: "a/1", turn: 1, origin: 1, worker: "w1" }];
    const counted = { since: 5, until: 9, gaps: [{ from: 6, to: 7 }] };
    await holder.release({ ledger, counted });
    const next = await others[0]!.claim(Date.now());
    assert.ok(next!.epoch > claims.find(Boolean)!.epoch);
    assert.deepEqual([next!.ledger, next!.counted], [ledger, counted]);
    assert.equal(await holder.renew(Date.now()), false);
    assert.equal(await holder.claim(Date.now()), undefined);
  }));

test(
  "lease: a holder that is gone without a word is replaced after the time to live, without a ledger",
  () =>
    inScene(async (scene) => {
      const [gone, standby] = [await candidate(scene, "gone"), await candidate(scene, "standby")];
      const first = (await gone.claim(Date.now()))!;
      const startedAt = Date.now();
      const claim = await claimWithin(standby, 10_000);
      const tookMs = Date.now() - startedAt;
      assert.ok(tookMs > leaseTiming.ttlMs - 500 && tookMs < leaseTiming.ttlMs + 2_500, `took ${tookMs} ms`);
      assert.ok(claim.epoch > first.epoch);
      assert.equal(claim.ledger, undefined);
      // The old holder froze and wakes: by its own clock it leads no more, and the server agrees.
      assert.equal(gone.isExpired(Date.now()), true);
      assert.equal(await gone.renew(Date.now()), false);
      assert.equal(await standby.renew(Date.now()), true);
    }),
  30_000,
);

test(
  "lease: a holder that cannot renew steps down by its own clock before the server lets go",
  () =>
    inScene(async (scene) => {
      const lease = await candidate(scene, "a");
      const claimedAt = Date.now();
      const first = (await lease.claim(claimedAt))!;
      scene.server.pause();
      assert.equal(await lease.renew(Date.now()), false);
      const tookMs = Date.now() - claimedAt;
      assert.ok(tookMs < leaseTiming.ttlMs, `stepped down after ${tookMs} ms`);
      assert.ok(tookMs > leaseTiming.renewMs, `stepped down after ${tookMs} ms`);
      scene.server.resume();
      // Its late renewal may have been stored: then it claims its own record anew.
      const again = await claimWithin(lease, 10_000);
      assert.ok(again.epoch > first.epoch);
      assert.equal(await lease.renew(Date.now()), true);
    }),
  30_000,
);

test(
  "lease: a short restart of the server does not cost the lease",
  () =>
    inScene(async (scene) => {
      const [lease, other] = [await candidate(scene, "a"), await candidate(scene, "b")];
      await lease.claim(Date.now());
      await scene.server.kill();
      const renewal = lease.renew(Date.now());
      await outageOf(500);
      await scene.server.restart();
      assert.equal(await renewal, true);
      assert.equal(await lease.renew(Date.now()), true);
      assert.equal(await other.claim(Date.now()), undefined);
    }),
  30_000,
);

test(
  "lease: after 10 s without a server somebody leads again",
  () =>
    inScene(async (scene) => {
      const [lease, other] = [await candidate(scene, "a"), await candidate(scene, "b")];
      const first = (await lease.claim(Date.now()))!;
      await scene.server.kill();
      const renewal = lease.renew(Date.now());
      await outageOf(10_000);
      assert.equal(await renewal, false);
      await scene.server.restart();
      const claims: number[] = [];
      await waitFor(
        async () => {
          for (const candidate of [lease, other]) {
            const claim = await candidate.claim(Date.now()).catch(() => undefined);
            if (claim !== undefined) claims.push(claim.epoch);
          }
          return claims.length > 0;
        },
        15_000,
        "a leader",
      );
      assert.ok(claims[0]! > first.epoch);
    }),
  60_000,
);

test("lease: a ledger too large for a message is left out, the lease is released all the same", () =>
  inScene(async (scene) => {
    const [lease, other] = [await candidate(scene, "a"), await candidate(scene, "b")];
    await lease.claim(Date.now());
    const entry = { key: `task/${"x".repeat(256)}`, turn: 0, origin: 1, worker: "w".repeat(22) };
    const counted = { since: 5, until: 9, gaps: [] };
    await lease.release({ ledger: Array.from({ length: 5_000 }, () => entry), counted });
    const claim = await other.claim(Date.now());
    assert.notEqual(claim, undefined);
    assert.deepEqual([claim!.ledger, claim!.counted], [undefined, counted]);
  }));

// Workers refuse epochs that are older than one that they know: a leader of the restored bucket would find nobody.
test("lease: epochs grow although the bucket was restored from a backup", () =>
  inScene(async (scene) => {
    const { server } = scene;
    const lease = await candidate(scene, "a");
    await lease.claim(performance.now());
    await server.shutDown();
    cpSync(server.store, `${server.store}-backup`, { recursive: true });
    await server.restart();
    let epoch = 0;
    for (let i = 0; i < 5; i++) {
      await lease.release({});
      epoch = (await claimWithin(lease, 10_000)).epoch;
    }
    await server.kill();
    rmSync(server.store, { recursive: true });
    cpSync(`${server.store}-backup`, server.store, { recursive: true });
    await server.restart();
    assert.ok((await claimWithin(lease, 10_000)).epoch > epoch);
  }));

test("lease: with engines of format 1 there is one leader, and after the format was raised they claim nothing any more", () =>
  inScene(async (scene) => {
    const { nc } = await scene.link();
    const manager = await jetstreamManager(nc);
    const { leaseOfFormat1, leaseBucket } = subjects;
    const raised = await candidate(scene, "raised"); // makes the streams
    await manager.streams.update(`KV_${leaseBucket}`, { subjects: [`$KV.${leaseBucket}.>`] });
    /** As an engine of format 1 writes it. */
    const write = async (record: object, expect: number): Promise<number> => {
      const expected = headers();
      expected.set("Nats-Expected-Last-Subject-Sequence", String(expect));
      const reply = await nc.request(leaseOfFormat1, JSON.stringify(record), { headers: expected, timeout: 5_000 });
      return reply.json<{ seq: number }>().seq;
    };
    const old = await write({ engine: "old", released: false }, 0);
    assert.deepEqual([await raised.claim(Date.now()), raised.holder], [undefined, "old"]);
    const ledger = [{ key: "a/1", turn: 1, origin: 1, worker: "w1" }];
    await write({ engine: "old", released: true, ledger }, old);
    const claim = (await raised.claim(Date.now()))!;
    assert.deepEqual([claim.ledger, claim.epoch > old], [ledger, true]);
    const held = await manager.streams.getMessage(`KV_${leaseBucket}`, { last_by_subj: leaseOfFormat1 });
    assert.equal(held!.json<{ engine: string }>().engine, "raised");
    assert.equal(await raised.renew(Date.now()), true);
    await manager.streams.update(`KV_${leaseBucket}`, { subjects: leaseOfFormat(currentFormat, subjects) });
    raised.raised();
    await assert.rejects(write({ engine: "old", released: false }, 0), /no responders/);
    assert.equal(await raised.renew(Date.now()), true);
    await raised.release({});
    assert.ok((await (await candidate(scene, "next")).claim(Date.now()))!.epoch > claim.epoch);
  }));
