/** A keyed actor for tests: counts the messages of its key since its activation and says so on a BroadcastChannel. */
import { BroadcastChannel } from 'node:worker_threads';
import { defineActor } from '../../actor.js';

interface Counted {
  readonly key: string;
  readonly count: number;
  /** Calls of `receive` under way for this key when this one began; anything but 0 breaks P2. */
  readonly others: number;
}

interface State {
  count: number;
  running: number;
}

export type { Counted };

export default defineActor<unknown, State, BroadcastChannel>({
  type: 'counter',
  scope: 'key',
  idleMsMax: 1_000,
  open: ({ settings }) => new BroadcastChannel((settings as { readonly channel: string }).channel),
  close: (channel) => channel.close(),
  state: () => ({ count: 0, running: 0 }),
  async receive(messages, { key, resources, state }) {
    const others = state.running++;
    await new Promise((resolve) => setImmediate(resolve));
    state.count += messages.length;
    state.running--;
    resources.postMessage({ key, count: state.count, others } satisfies Counted);
  },
});
