// Scenes of one task, "mail", with policies: what the tests of limits and of rates look at.

import { placeOf } from "../../../src/matching/attached.ts";
import { describeRun } from "../../../src/requests/describe.ts";
import { declarationOf, only, Scene } from "../../scheduler/scene.ts";

export const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
export const assigned = (scene: Scene) => only(scene.tick(), "assign").flatMap(({ runs }) => runs.map((run) => run.id));
export const waiting = (scene: Scene, key: string) => describeRun(scene.state, key)?.info.waiting;
export const running = (scene: Scene) => [...scene.state.live.values()].filter((run) => placeOf(run) === "running");

export function sceneWith(policies: object, slots = 100): Scene {
  const scene = new Scene();
  scene.register("w", slots, [{ ...declarationOf("mail"), policies }]);
  return scene;
}
export const create = (scene: Scene, id: string, input: unknown, more: object = {}) =>
  scene.create("mail", id, { input: bytes(input), ...more });
