// An agent: a model chooses tools until it knows the answer. Each call of the model is a step, each tool a child run, and a long
// conversation goes on in a new lap with what it has learned.
import { currentStep, Durable, type DurableContext, Step, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { type Message, nextMove } from "./model.ts";

export interface Question {
  readonly question: string;
  readonly messages?: readonly Message[];
}

const movesALap = 4;

@Worker(10)
export class Agent {
  @Durable("ask", { deadline: "1h" })
  async ask({ question, messages = [] }: Question, ctx: DurableContext) {
    const tools = ctx.tasks(Agent);
    const said = [...messages];
    for (let move = 0; move < movesALap; move += 1) {
      const { answer, calls } = await this.think(question, said);
      if (answer !== undefined) return { answer, moves: said.length };
      const results = await ctx.map(tools.lookUp, calls);
      said.push(...results);
    }
    return ctx.restart({ question, messages: said }); // an empty journal, however long the conversation is
  }

  @Step({ retries: 5, timeout: "2m" })
  async think(question: string, messages: readonly Message[]) {
    return nextMove(question, messages, currentStep().signal);
  }

  /** A task of its own: it has its own retries, timeout and lines, and anybody else may run it too. */
  @Task("look-up", { retries: 3, timeout: "30s" })
  async lookUp(city: string, ctx: TaskContext): Promise<Message> {
    ctx.log.info(`looking up ${city}`);
    return { city, people: city.length * 100_000 };
  }
}
