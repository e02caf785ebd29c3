// The functions of a source, from the compiler's own syntax trees.
import { join } from "node:path";
import {
  isArrowFunction,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isMethodDeclaration,
  isSetAccessorDeclaration,
  type Node,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/async";
import { root } from "../support/child.ts";
import { codeLines, type SourceFile } from "./source.ts";

export interface SourceFunction {
  readonly path: string;
  readonly name: string;
  /** Lines of code from its first to its last, those of functions inside of it included. */
  readonly lines: number;
}

const kinds = [
  ...[isFunctionDeclaration, isMethodDeclaration, isConstructorDeclaration, isGetAccessorDeclaration],
  ...[isSetAccessorDeclaration, isFunctionExpression, isArrowFunction],
] as readonly ((node: Node) => boolean)[];
const isUnnamed = (node: Node): boolean => isArrowFunction(node) || isFunctionExpression(node);

/** Every function with a body; arrows of one line are expressions, not functions. */
export async function functionsOf(files: readonly SourceFile[]): Promise<SourceFunction[]> {
  const api = new API({ cwd: root });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [join(root, "tsconfig.json")] });
    const { program } = snapshot.getProjects()[0]!;
    const found: SourceFunction[] = [];
    for (const { path } of files.filter(({ path }) => path.endsWith(".ts"))) {
      const file = await program.getSourceFile(join(root, path));
      if (file === undefined) throw new Error(`${path} is not in tsconfig.json`);
      const visit = (node: Node): undefined => {
        const lines = kinds.some((is) => is(node)) ? codeLines(file.text.slice(node.pos, node.end)) : 0;
        if (lines > 1 || (lines === 1 && !isUnnamed(node))) found.push({ path, name: nameOf(node), lines });
        node.forEachChild(visit);
      };
      visit(file);
    }
    return found;
  } finally {
    await api.close();
  }
}

interface Named {
  readonly name?: { readonly text?: string };
}

function nameOf(node: Node): string {
  const [own, around] = [node, node.parent] as unknown as readonly [Named, Named | undefined];
  if (isConstructorDeclaration(node)) return `new ${around?.name?.text}`;
  return own.name?.text ?? around?.name?.text ?? "(anonymous)";
}
