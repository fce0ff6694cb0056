/** Answers each ping with a pong. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';

export interface Ping {
  readonly type: 'ping';
  readonly from: ActorRef<Pong>;
}

export interface Pong {
  readonly type: 'pong';
}

const PONG: Pong = { type: 'pong' };

export default defineActor<Ping>({
  type: 'pong',
  scope: 'key',
  receive(messages) {
    for (const { body } of messages) void body.from.tell(PONG);
  },
});
