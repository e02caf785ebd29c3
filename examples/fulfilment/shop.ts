// An order from the basket to the doorstep, as one method.
import { z } from "zod";
import { currentStep, Durable, type DurableContext, NonRetryableError, Step, signal, Worker } from "../../src/mod.ts";
import { request } from "./outside.ts";

export const Order = z.object({
  id: z.string(),
  items: z.array(z.string()).min(1),
  /** How long the items are kept for somebody who has not paid, in milliseconds. */
  payWithin: z.number().optional(),
});
export type Order = z.infer<typeof Order>;

/** Sent to the run of an order by the webhook of the payment provider. */
export const Paid = signal("paid", { data: z.object({ reference: z.string() }) });

@Worker(20)
export class Shop {
  @Durable("fulfil", { input: Order, deadline: "30d" })
  async fulfil(order: Order, ctx: DurableContext) {
    await this.reserve(order);
    try {
      const payment = await ctx.waitFor(Paid, { timeout: order.payWithin ?? "3d" });
      if (payment === undefined) throw new NonRetryableError("not paid in time");
      const parcel = await this.ship(order);
      return { parcel, payment: payment.reference };
    } catch (error) {
      await this.release(order); // also when the run is cancelled
      throw error;
    }
  }

  @Step()
  async reserve(order: Order) {
    await request(currentStep().id, `reserve ${order.items.join(", ")}`, order.id);
  }

  @Step({ retries: 5, timeout: "30s" })
  async ship(order: Order) {
    await request(currentStep().id, `ship ${order.items.join(", ")}`, order.id);
    return `parcel-${order.id}`;
  }

  @Step()
  async release(order: Order) {
    await request(currentStep().id, `release ${order.items.join(", ")}`, order.id);
  }
}
