// The compiler refuses misuse, in both decorator modes, with a sentence that says what is wrong.
import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { runTool } from "../support/command.ts";
import { describe, test } from "../support/harness.ts";

const folder = join(root, "test", "types");
const minute = 60_000;

describe("the type tests compile", () => {
  test(
    "under tsc with standard decorators",
    async () => {
      const { code, output } = await runTool("tsc", ["-p", "test/types/tsconfig.json"]);
      assert.equal(code, 0, output);
    },
    minute,
  );
  test(
    "under tsc with legacy decorators",
    async () => {
      const { code, output } = await runTool("tsc", ["-p", "tsconfig.legacy.json"]);
      assert.equal(code, 0, output);
    },
    minute,
  );
  test(
    "under deno check with standard decorators",
    async () => {
      const { code, output } = await runTool("deno", ["check", "--quiet", "test/types/workers.ts"]);
      assert.equal(code, 0, output);
    },
    minute,
  );
  test(
    "under deno check with legacy decorators",
    async () => {
      const config = ["--config", "test/decorators/deno.legacy.json"];
      const { code, output } = await runTool("deno", ["check", "--quiet", ...config, "test/types/workers.ts"]);
      assert.equal(code, 0, output);
    },
    minute,
  );
});

for (const [mode, flags] of [
  ["standard", []],
  ["legacy", ["--experimentalDecorators"]],
] as const) {
  test(
    `with ${mode} decorators the messages are sentences`,
    async () => {
      // A folder with a dot is in no project: a compiler that runs at the same time must not see the mistakes.
      const home = join(root, "test", `.sentences-${mode}`);
      const file = join(home, "sentences.ts");
      await mkdir(home, { recursive: true });
      await writeFile(file, await readFile(join(folder, "sentences.fixture.txt")));
      try {
        const options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "esnext", "--module", "preserve"];
        const more = ["--allowImportingTsExtensions", "--skipLibCheck", "--types", "bun-types", ...flags];
        const { code, output } = await runTool("tsc", [...options, ...more, file]);
        assert.notEqual(code, 0);
        assert.match(output, /slots must be a whole number from 1 to 10000/);
        assert.match(output, /a name has only the characters A-Z a-z 0-9 _ and -/);
        assert.match(output, /the context comes second/);
        assert.match(output, /a task takes \(input, ctx\) and nothing more/);
      } finally {
        await rm(home, { recursive: true });
      }
    },
    minute,
  );
}
