// An expense that a person approves or refuses; after a week somebody else is asked.
import { z } from "zod";
import { currentStep, Durable, type DurableContext, Step, signal, Worker } from "../../src/mod.ts";
import { mail } from "./mail.ts";

export interface Expense {
  readonly who: string;
  readonly cents: number;
  /** Asked one after the other. */
  readonly approvers: readonly string[];
  /** How long each of them has, in milliseconds. @default a week */
  readonly patience?: number;
}

export const Decision = signal("decision", { data: z.object({ by: z.string(), approved: z.boolean() }) });

@Worker(20)
export class Expenses {
  @Durable("approve-expense")
  async approve(expense: Expense, ctx: DurableContext) {
    for (const approver of expense.approvers) {
      await this.ask(approver, expense);
      const decision = await ctx.waitFor(Decision, { timeout: expense.patience ?? "7d" });
      if (decision !== undefined) {
        await this.tell(expense.who, decision.approved);
        return decision;
      }
      ctx.log.info(`${approver} has not answered`);
    }
    await this.tell(expense.who, false);
    return { by: "nobody", approved: false };
  }

  @Step()
  async ask(approver: string, { who, cents }: Expense) {
    await mail(currentStep().id, approver, `${who} spent ${(cents / 100).toFixed(2)}: approve?`);
  }

  @Step()
  async tell(who: string, approved: boolean) {
    await mail(currentStep().id, who, approved ? "approved" : "refused");
  }
}
