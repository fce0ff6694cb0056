/** Sends pings, one in flight, and answers whoever started it with the number of pongs. */
import { type ActorRef, type Asks, defineActor, type Message } from '../../../../runtime/index.js';
import pong, { type Ping, type Pong } from './pong.js';

export type StartPinging = { readonly type: 'start'; readonly pings: number } & Asks<readonly number[]>;

interface Pinger {
  readonly pong: ActorRef<Ping>;
  readonly ping: Ping;
  pongs: number;
  start: Message<StartPinging> | undefined;
}

export default defineActor<StartPinging | Pong, Pinger>({
  type: 'ping',
  scope: 'key',
  state: (key, context) => ({
    pong: context.ref(pong, key),
    ping: { type: 'ping', from: context.self },
    pongs: 0,
    start: undefined,
  }),
  receive(messages, { state }) {
    for (const message of messages) {
      if (message.type === 'start') state.start = message;
      else state.pongs++;
      if (state.start === undefined) continue;
      if (state.pongs < state.start.body.pings) void state.pong.tell(state.ping);
      else state.start.reply([state.pongs]);
    }
  },
});
