/** Waits for each batch as an actor waits for its database, and does nothing else. */
import { defineActor } from '../../runtime/actor.js';
import { type ActorSettings, WAIT_MS, WAITING_BATCH } from './work.js';

export default defineActor<unknown, unknown, Int32Array>({
  type: 'waiting',
  scope: 'thread',
  batchMax: WAITING_BATCH,
  open: ({ settings }) => new Int32Array((settings as ActorSettings).handled),
  async receive(messages, { resources }) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    Atomics.add(resources, 0, messages.length);
  },
});
