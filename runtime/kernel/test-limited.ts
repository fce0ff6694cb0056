/** For tests of limits: an actor that has some, and whose calls last until they are let go. */
import type { ActorDefinition } from '../actor.js';
import type { ManualClock } from '../clock.js';
import type { Limits } from '../limits.js';
import { hostIn, manualKernel, settle } from './test-kernel.js';
import type { TypeLimiter } from './type-limiter.js';

/** Keys of a group begin with its letter. Calls last until they are let go. */
export function limited(limits: Limits, definition: Partial<ActorDefinition<number>> = {}, slow = false) {
  const made = manualKernel();
  const { kernel, clock } = made;
  const begun: { readonly key: string; readonly at: number; readonly bodies: number[] }[] = [];
  const underWay: { readonly key: string; readonly end: () => void }[] = [];
  const host = hostIn<number, unknown, unknown>(kernel, {
    type: 'limited',
    scope: 'key',
    batchMax: 64,
    limits,
    group: (key) => key.charAt(0),
    receive(messages, { key }) {
      begun.push({ key, at: clock.now(), bodies: messages.map(({ body }) => body) });
      for (const message of messages) if (message.asked) message.reply(message.body as never);
      if (!slow) return;
      return new Promise<void>((resolve) => {
        const call = {
          key,
          end: () => {
            underWay.splice(underWay.indexOf(call), 1);
            resolve();
          },
        };
        underWay.push(call);
      });
    },
    ...definition,
  });
  const limiter = host.limiter as TypeLimiter;
  const tell = (key: string, body = 0) => void kernel.ref('limited', key).tell(body);
  return { ...made, host, limiter, begun, underWay, tell, ref: (key: string) => kernel.ref('limited', key) };
}

/** Lets time pass by `ms`, in steps in which what became possible happens. */
export async function pass(clock: ManualClock, ms: number, stepMs = 10): Promise<void> {
  for (let at = 0; at < ms; at += stepMs) {
    clock.advance(stepMs);
    await settle(2);
  }
}
