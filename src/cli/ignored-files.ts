// What `.gitignore` files exclude: files outside version control are generated, and no reason to reload.
// A subset: the files of the project, not those of the user or of `.git/info`; ADR 30.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/** Never watched, wherever they are: generated files, by convention. */
const madeByPrograms = new Set(["node_modules", "dist", "out", "coverage"]);

interface Rule {
  readonly matches: RegExp;
  readonly foldersOnly: boolean;
  /** `!pattern`: not ignored after all. */
  readonly isKept: boolean;
}

export class IgnoredFiles {
  /** Where the repository begins, or the folder itself outside of one. */
  readonly #root: string;
  /** How deep the folder is in there: whether it is itself ignored does not matter, since somebody works in it. */
  readonly #depth: number;
  readonly #rules = new Map<string, readonly Rule[]>();

  constructor(folder: string) {
    this.#root = repositoryOf(folder) ?? folder;
    this.#depth = this.#root === folder ? 0 : relative(this.#root, folder).split(sep).length;
  }

  /** Whether a file or folder of the folder is ignored, itself or with one that it lies in. */
  has(path: string, isFolder: boolean): boolean {
    const parts = relative(this.#root, path).split(sep);
    return parts.some((part, at) => {
      if (at < this.#depth) return false;
      if (madeByPrograms.has(part) || part.startsWith(".")) return true;
      return this.#isMatched(parts.slice(0, at + 1), isFolder || at < parts.length - 1);
    });
  }

  /** A `.gitignore` has changed. */
  forget(): void {
    this.#rules.clear();
  }

  /** The last rule that matches decides, and those of deeper folders come later. */
  #isMatched(parts: readonly string[], isFolder: boolean): boolean {
    let isIgnored = false;
    for (let depth = 0; depth < parts.length; depth++) {
      const path = parts.slice(depth).join("/");
      for (const { matches, foldersOnly, isKept } of this.#rulesOf(join(this.#root, ...parts.slice(0, depth))))
        if ((isFolder || !foldersOnly) && matches.test(path)) isIgnored = !isKept;
    }
    return isIgnored;
  }

  #rulesOf(folder: string): readonly Rule[] {
    let rules = this.#rules.get(folder);
    if (rules === undefined) {
      rules = readRules(join(folder, ".gitignore"));
      this.#rules.set(folder, rules);
    }
    return rules;
  }
}

function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  return dirname(folder) === folder ? undefined : repositoryOf(dirname(folder));
}

function readRules(file: string): Rule[] {
  try {
    return readFileSync(file, "utf8").split(/\r?\n/).flatMap(parseRule);
  } catch {
    return []; // there is none
  }
}

/** A line of a `.gitignore`; none for an empty one and a comment. */
export function parseRule(line: string): Rule[] {
  const text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return [];
  const isKept = text.startsWith("!");
  const pattern = text.slice(isKept ? 1 : 0);
  const foldersOnly = pattern.endsWith("/");
  const path = foldersOnly ? pattern.slice(0, -1) : pattern;
  // A pattern with a slash is relative to this folder, one without matches the name anywhere.
  const anchored = path.includes("/") ? path.replace(/^\//, "") : `**/${path}`;
  try {
    return [{ matches: new RegExp(`^${sourceOf(anchored)}$`, "u"), foldersOnly, isKept }];
  } catch {
    return []; // not a pattern: git ignores it as well
  }
}

const sourceOf = (pattern: string): string =>
  pattern.replace(
    /\\(.)|\*\*\/|\/\*\*$|\*+|\?|\[!?(?:\\.|[^\]\\])+\]|[\\^$.|+(){}[\]/-]/g,
    (part: string, escaped?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (part === "**/") return "(?:.*/)?";
      if (part === "/**") return "/.*";
      if (part.startsWith("*")) return "[^/]*";
      if (part === "?") return "[^/]";
      return part.length > 1 ? part.replace(/^\[!/, "[^") : literal(part);
    },
  );

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
