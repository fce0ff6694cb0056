import t from 'tap';
import { plainOrder, seededOrder } from './order.js';
import { VirtualClock } from './virtual-clock.js';

function ringAll(clock: VirtualClock): void {
  while (clock.nextAt !== undefined) clock.ring();
}

t.test('alarms ring one at a time, by time, and in the order of their setting', async (t) => {
  const clock = new VirtualClock(100, plainOrder().choose);
  const rung: string[] = [];
  const set = (name: string, ms: number) => clock.after(ms, () => rung.push(`${name}@${clock.now()}`));
  set('c', 20);
  set('a', 10);
  const cancel = set('gone', 10);
  set('b', 10);
  cancel();
  cancel();
  t.equal(clock.nextAt, 110);
  clock.ring();
  t.strictSame(rung, ['a@110']);
  set('d', 0);
  ringAll(clock);
  t.strictSame(rung, ['a@110', 'b@110', 'd@110', 'c@120']);
  clock.ring();
  clock.moveTo(50);
  t.equal(clock.now(), 120);
  clock.moveTo(500);
  t.equal(clock.now(), 500);
});

t.test('a seed draws the order of alarms of one time, and of one time alone', async (t) => {
  const orderOf = (seed: number) => {
    const clock = new VirtualClock(0, seededOrder(seed).choose);
    const rung: string[] = [];
    for (const [name, ms] of Object.entries({ z: 9, a: 5, b: 5, c: 5, y: 1 })) {
      clock.after(ms, () => rung.push(name));
    }
    ringAll(clock);
    return rung.join('');
  };
  const orders = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const order = orderOf(seed);
    t.match(order, /^y[abc]{3}z$/);
    t.equal(orderOf(seed), order);
    orders.add(order);
  }
  t.equal(orders.size, 6);
});
