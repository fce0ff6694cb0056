/** Costs nothing, so that what is measured is what a message costs on its way. */
import { defineActor } from '../../runtime/actor.js';
import type { ActorSettings } from './work.js';

export default defineActor<unknown, unknown, Int32Array>({
  type: 'counting',
  scope: 'thread',
  open: ({ settings }) => new Int32Array((settings as ActorSettings).handled),
  receive(messages, { resources }) {
    Atomics.add(resources, 0, messages.length);
  },
});
