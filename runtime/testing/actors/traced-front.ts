import { defineActor } from '../../actor.js';
import { openTraced, type Traced } from './traced.js';

export default defineActor<unknown, unknown, Traced>({
  type: 'traced-front',
  scope: 'key',
  open: openTraced,
  close: ({ channel }) => channel.close(),
  receive(messages, context) {
    const { key, resources } = context;
    for (const message of messages) {
      resources.say({ key, traceparent: message.traceparent });
      if (message.asked) message.reply('registered');
      else if (key !== 'end') void context.ref('traced-back', key).tell('go');
    }
  },
});
