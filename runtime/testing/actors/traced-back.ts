import { defineActor } from '../../actor.js';
import { openTraced, type Traced } from './traced.js';

export default defineActor<unknown, unknown, Traced>({
  type: 'traced-back',
  scope: 'key',
  open: openTraced,
  close: ({ channel }) => channel.close(),
  async receive(messages, context) {
    const { key, resources } = context;
    for (const { traceparent } of messages) {
      resources.say({ key, traceparent });
      await context.ref('traced-front', 'register').ask('register');
      await context.ref('traced-front', 'end').tellDurably('end');
    }
  },
});
