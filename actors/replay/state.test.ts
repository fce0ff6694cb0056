import t from 'tap';
import { goesOn, REPLAY_STATES, STATE_AFTER, statesBefore } from './state.js';

t.test('what may become what', async (t) => {
  t.strictSame(Object.fromEntries(REPLAY_STATES.map((state) => [state, statesBefore(state)])), {
    waiting: ['paused'],
    running: ['waiting'],
    paused: ['waiting', 'running'],
    done: ['running'],
    cancelled: ['waiting', 'running', 'paused'],
    failed: ['waiting', 'running'],
  });
  t.strictSame(REPLAY_STATES.filter(goesOn), ['waiting', 'running']);
  const ends = REPLAY_STATES.filter((state) =>
    REPLAY_STATES.every((next) => !statesBefore(next).includes(state)),
  );
  t.strictSame(ends, ['done', 'cancelled', 'failed'], 'from these nothing leads on');
  t.ok(Object.values(STATE_AFTER).every((state) => statesBefore(state).length > 0));
});
