// Tells a story word by word: what a language model or a long import looks like from outside.

import { Schema } from "effect";
import { type Payload, start, Task, type TaskContext, Worker } from "../../src/mod.ts";

export const Story = Schema.Struct({ about: Schema.String.check(Schema.isMinLength(1)) });

@Worker({ name: "story", slots: 10 })
export class StoryWorker {
  @Task("tell-story", { input: Story, retries: 2, timeout: "1m" })
  async tell({ about }: Payload<typeof Story>, ctx: TaskContext) {
    const words = `Once there was ${about}.`.split(" ");
    for (const [at, word] of words.entries()) {
      await ctx.stream(word);
      ctx.progress((at + 1) / words.length);
    }
    return { words: words.length };
  }
}

if (import.meta.main) await (await start(StoryWorker)).stopped;
