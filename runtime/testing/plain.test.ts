import vm from 'node:vm';
import t from 'tap';
import { checkPlain } from './plain.js';

class Money {
  readonly cents = 1;
}

t.test('what arrives as it was sent passes', async (t) => {
  const date = new Date();
  for (const value of [
    ...[undefined, null, 1, 2n, 'x', true, [1, [2]], { a: { b: undefined } }, date, Object.create(null)],
    ...[new Map([['a', { b: 1 }]]), new Set([1]), new Uint8Array(2), Buffer.from('a'), new TypeError('x')],
    vm.runInNewContext('({ a: { b: 1 } })'),
  ]) {
    t.doesNotThrow(() => checkPlain(value));
  }
});

t.test('what does not is refused, with its place', async (t) => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const refused: readonly (readonly [unknown, string])[] = [
    [() => {}, 'body is a function'],
    [{ a: [1, { done: () => {} }] }, 'body.a[1].done is a function'],
    [{ a: Symbol('x') }, 'body.a is a symbol'],
    [Promise.resolve(), 'body is an instance of Promise'],
    [{ price: new Money() }, 'body.price is an instance of Money'],
    [new Map([['k', new Money()]]), 'body.get(k) is an instance of Money'],
    [new Set([new WeakMap()]), 'body (an item) is an instance of WeakMap'],
    [cycle, 'is too deep, or a cycle'],
  ];
  for (const [value, message] of refused) {
    const error = t.throws(() => checkPlain(value), { code: 'TETHER_BODY' });
    t.match((error as Error).message, message);
  }
});
