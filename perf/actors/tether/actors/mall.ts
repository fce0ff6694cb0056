/** Brings chameneos together by twos, for so many meetings; then sends them home and answers with what they met. */
import { type ActorRef, type Asks, defineActor, type Message } from '../../../../runtime/index.js';

export interface Meet {
  readonly type: 'meet';
  readonly color: number;
  readonly from: ActorRef<ToGuest>;
}

export interface Change {
  readonly type: 'change';
  readonly color: number;
}

export interface Exit {
  readonly type: 'exit';
}

/** What a chameneo hears of the mall and of another. */
export type ToGuest = Meet | Change | Exit;

/** A chameneo has gone home. */
export interface Count {
  readonly type: 'count';
  readonly meetings: number;
}

export type OpenMall = {
  readonly type: 'open';
  readonly chameneos: number;
  readonly meetings: number;
} & Asks<readonly number[]>;

interface Mall {
  open: Message<OpenMall> | undefined;
  meetingsLeft: number;
  waiting: ActorRef<ToGuest> | undefined;
  guestsLeft: number;
  sum: number;
}

const EXIT: Exit = { type: 'exit' };

export default defineActor<OpenMall | Meet | Count, Mall>({
  type: 'mall',
  scope: 'key',
  state: () => ({ open: undefined, meetingsLeft: 0, waiting: undefined, guestsLeft: 0, sum: 0 }),
  receive(messages, { state }) {
    for (const message of messages) {
      switch (message.type) {
        case 'open':
          state.open = message;
          state.meetingsLeft = message.body.meetings;
          state.guestsLeft = message.body.chameneos;
          break;
        case 'meet':
          if (state.meetingsLeft === 0) void message.body.from.tell(EXIT);
          else if (state.waiting === undefined) state.waiting = message.body.from;
          else {
            void state.waiting.tell(message.body);
            state.waiting = undefined;
            state.meetingsLeft--;
          }
          break;
        case 'count':
          state.sum += message.body.meetings;
          if (--state.guestsLeft === 0) state.open?.reply([state.sum]);
      }
    }
  },
});
