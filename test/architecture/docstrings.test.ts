// Everything that a user can import, and whatever it shows, says what it is: editors show it, and registries too.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { runTool } from "../support/command.ts";
import { test } from "../support/harness.ts";

interface Documented {
  readonly name: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly unknown[] };
}
interface Member extends Documented {
  readonly accessibility?: string;
}
interface Declaration extends Documented {
  readonly declarationKind: string;
  readonly location: { readonly filename: string };
  readonly def?: { readonly properties?: readonly Member[]; readonly methods?: readonly Member[] };
}
interface Page {
  readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[];
}

const isDocumented = ({ jsDoc }: Documented): boolean => (jsDoc?.doc ?? "") !== "" || (jsDoc?.tags ?? []).length > 0;

/** Methods may be overloaded: one of them speaks for all. */
function undocumented(members: readonly Member[]): string[] {
  const open = members.filter(({ accessibility = "public" }) => accessibility === "public");
  const named = open.filter(({ name }) => !/^[[#]/.test(name));
  return [...new Set(named.map(({ name }) => name))].filter(
    (name) => !named.some((member) => member.name === name && isDocumented(member)),
  );
}

/** What an error has from Error. */
const isInherited = new Set(["name", "message"]);

test("every public symbol and each of its members has a docstring", async () => {
  const entries = ["src/mod.ts", "src/client.ts", "decorators/mod.ts", "src/testing/mod.ts"];
  const missing = new Set<string>();
  let symbols = 0;
  for (const entry of entries) {
    const { code, output } = await runTool("deno", ["doc", "--json", "--quiet", entry]);
    assert.equal(code, 0, output);
    const { nodes } = JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1)) as {
      nodes: Record<string, Page>;
    };
    for (const { name, declarations } of Object.values(nodes).flatMap((page) => page.symbols)) {
      const exported = declarations.filter(({ declarationKind }) => declarationKind === "export");
      if (exported.length === 0) continue;
      symbols += 1;
      if (!exported.some(isDocumented)) missing.add(name);
      for (const { def, location } of exported) {
        const members = [...(def?.properties ?? []), ...(def?.methods ?? [])];
        const isError = location.filename.includes("/domain/errors/");
        for (const member of undocumented(members))
          if (!isError || !isInherited.has(member)) missing.add(`${name}.${member}`);
      }
    }
  }
  assert.ok(symbols > 100, `${symbols} symbols`);
  assert.deepEqual([...missing].sort(), []);
});

test("examples in docstrings are fenced, since editors take a decorator in them for a tag otherwise", () => {
  const bare = globSync("{src,decorators}/**/*.ts", { cwd: root }).filter((file) =>
    /^ \* @example\n(?! \* ```)/m.test(readFileSync(join(root, file), "utf8")),
  );
  assert.deepEqual(bare, []);
});
