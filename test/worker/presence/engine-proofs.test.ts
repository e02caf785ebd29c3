import assert from "node:assert/strict";
import { isSecretOf, newIdentity, proofOf } from "../../../src/runtime/worker-identity.ts";
import { EngineProofs } from "../../../src/worker/presence/engine-proofs.ts";
import { test } from "../../support/harness.ts";

test("a worker's id is known by its secret alone, with a role before it or without", () => {
  for (const role of ["", "mail"]) {
    const { id, secret } = newIdentity(role);
    assert.match(id, role === "" ? /^w[0-9a-z]{21}$/ : /^mail-w[0-9a-z]{21}$/);
    assert.ok(isSecretOf(id, secret));
    for (const other of ["", id, `${secret}0`, secret.slice(1), newIdentity(role).secret])
      assert.ok(!isSecretOf(id, other), other);
  }
});

test("proofs: a message counts once, from who knows the secret, and may overtake others by a little", () => {
  const { secret } = newIdentity("");
  const message = (epoch: number, n: number, of = secret) => ({ epoch, n, proof: proofOf(of, "assign", epoch, n) });
  const proofs = new EngineProofs(secret, "assign");
  assert.ok(proofs.admits(message(7, 2)));
  assert.ok(proofs.admits(message(7, 1)), "overtaken");
  assert.ok(!proofs.admits(message(7, 2)), "sent again");
  assert.ok(!proofs.admits({ ...message(7, 2), n: 3 }), "of another message");
  assert.ok(!proofs.admits({ ...message(7, 3), epoch: 8 }), "of another epoch");
  assert.ok(!proofs.admits({ epoch: 7, n: 3, proof: proofOf(secret, "cancel", 7, 3) }), "of another verb");
  assert.ok(!proofs.admits(message(7, 3, newIdentity("").secret)), "of another worker");
  assert.ok(!proofs.admits({ epoch: 7 }), "without one");
  for (let n = 3; n < 5_000; n++) assert.ok(proofs.admits(message(7, n)));
  assert.ok(!proofs.admits(message(7, 100)), "long past");
  assert.ok(proofs.admits(message(8, 1)), "a new leader counts anew");
});
