// The compiler refuses misuse, in both decorator modes, with a sentence that says what is wrong.
import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { runTool } from "../support/command.ts";
import { describe, test } from "../support/harness.ts";

const folder = join(root, "test", "types");
const minute = 60_000;
const checked = ["test/types/workers.ts", "test/types/durable.ts"];

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
      const { code, output } = await runTool("deno", ["check", "--quiet", ...checked]);
      assert.equal(code, 0, output);
    },
    minute,
  );
  test(
    "under deno check with legacy decorators",
    async () => {
      const config = ["--config", "test/decorators/deno.legacy.json"];
      const { code, output } = await runTool("deno", ["check", "--quiet", ...config, ...checked]);
      assert.equal(code, 0, output);
    },
    minute,
  );
});

/** One mistake is one error, that of the mistake. */
const typos = [
  ["retires: 3", /'retires' does not exist .* Did you mean to write 'retries'\?/],
  ["30 seconds", /Type '"30 seconds"' is not assignable to type 'DurationInput/],
  ["send.email", /a name has only the characters/],
] as const;

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
      const source = await readFile(join(folder, "sentences.fixture.txt"), "utf8");
      await writeFile(file, source);
      try {
        const options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "esnext", "--module", "preserve"];
        const more = ["--allowImportingTsExtensions", "--skipLibCheck", "--types", "bun-types", ...flags];
        const { code, output } = await runTool("tsc", [...options, ...more, file]);
        assert.notEqual(code, 0);
        assert.match(output, /slots must be a whole number from 1 to 10000/);
        assert.match(output, /a name has only the characters A-Z a-z 0-9 _ and -/);
        assert.match(output, /the context comes second/);
        assert.match(output, /a task takes \(input, ctx\) and nothing more/);
        assert.match(output, /JSON makes a string of a Date/);
        assert.match(output, /a worker class has at least one method under @Task/);
        assert.match(output, /the constructor needs arguments: pass an instance/);
        const errorsAt = (text: string) => {
          const line = source.split("\n").findIndex((one) => one.includes(text)) + 1;
          return output.split("\n").filter((one) => one.includes(`sentences.ts(${line},`));
        };
        for (const [typo, sentence] of typos) {
          const errors = errorsAt(typo);
          assert.equal(errors.length, 1, output);
          assert.match(errors[0]!, sentence);
        }
      } finally {
        await rm(home, { recursive: true });
      }
    },
    minute,
  );
}
