import t from 'tap';
import { type Debt, Debts } from './debts.js';

class Ask implements Debt<Ask> {
  olderDebt: Ask | undefined = undefined;
  newerDebt: Ask | undefined = undefined;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const names = (debts: Debts<Ask>) => Array.from(debts, ({ name }) => name).join('');

t.test('any of them is removed, and may be while they are gone through', async (t) => {
  for (const removed of ['a', 'b', 'c']) {
    const debts = new Debts<Ask>();
    const asks = ['a', 'b', 'c'].map((name) => new Ask(name));
    for (const ask of asks) debts.add(ask);
    t.equal(names(debts), 'cba', 'the newest first');
    for (const ask of asks) if (ask.name === removed) debts.remove(ask);
    t.equal(names(debts), 'cba'.replace(removed, ''));
    for (const ask of debts) debts.remove(ask);
    t.ok(debts.none);
    debts.add(asks[0] as Ask);
    t.equal(names(debts), 'a', 'nothing of the old list hangs on one that was removed');
  }
});
