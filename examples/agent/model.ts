// Stands for a language model: asks for one city after the other and adds them up.
import { setTimeout as sleep } from "node:timers/promises";

export interface Message {
  readonly city: string;
  readonly people: number;
}

export interface Move {
  readonly answer?: number;
  /** Tools to be called, with their inputs. */
  readonly calls: readonly string[];
}

export async function nextMove(question: string, messages: readonly Message[], signal: AbortSignal): Promise<Move> {
  await sleep(50, undefined, { signal });
  const open = question.split(", ").filter((city) => !messages.some((message) => message.city === city));
  if (open.length > 0) return { calls: open.slice(0, 2) };
  return { answer: messages.reduce((sum, { people }) => sum + people, 0), calls: [] };
}
