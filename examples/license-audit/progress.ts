// Shows how far the audit is: one line that is drawn again in a terminal, plain lines at every tenth elsewhere.

export interface Progress {
  readonly finished: number;
  readonly total: number;
  readonly running: number;
  readonly queued: number;
  readonly failed: number;
}

export interface ProgressView {
  show(progress: Progress): void;
  end(): void;
}

export function openProgress(out: { isTTY?: boolean; write(text: string): unknown } = process.stderr): ProgressView {
  return out.isTTY === true ? bar(out) : plainLines(out);
}

export function formatProgress({ finished, total, running, queued, failed }: Progress): string {
  return `${finished}/${total} audited · running ${running} · queued ${queued} · failed ${failed}`;
}

function bar(out: { write(text: string): unknown }): ProgressView {
  const width = 30;
  return {
    show(progress) {
      const filled = progress.total === 0 ? width : Math.floor((width * progress.finished) / progress.total);
      out.write(`\r\x1b[2K${"█".repeat(filled)}${"░".repeat(width - filled)} ${formatProgress(progress)}`);
    },
    end: () => void out.write("\n"),
  };
}

function plainLines(out: { write(text: string): unknown }): ProgressView {
  let shown = -1;
  return {
    show(progress) {
      const tenth = progress.total === 0 ? 10 : Math.floor((10 * progress.finished) / progress.total);
      if (tenth === shown) return;
      shown = tenth;
      out.write(`${formatProgress(progress)}\n`);
    },
    end: () => {},
  };
}
