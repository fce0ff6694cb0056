/** Opens accounts and orders transfers between them; answers with their number and the sum of the balances after them. */
import { type ActorRef, type Asks, defineActor, type Message } from '../../../../runtime/index.js';
import { PseudoRandom } from '../../pseudo-random.js';
import account, {
  type Completed,
  type OpenAccount,
  type Order,
  type Report,
  type Transfer,
} from './account.js';

export type Bank = {
  readonly type: 'bank';
  readonly accounts: number;
  readonly transactions: number;
  readonly initialBalance: number;
  readonly givingOfTen: number;
  readonly seed: number;
} & Asks<readonly number[]>;

type Account = ActorRef<OpenAccount | Order | Transfer | Report>;

interface Teller {
  readonly self: ActorRef<Completed>;
  bank: Message<Bank> | undefined;
  accounts: readonly Account[];
  completed: number;
}

export default defineActor<Bank | Completed, Teller>({
  type: 'teller',
  scope: 'key',
  // It hears of all accounts, and each of them gets a turn between two of its own.
  batchMax: 1_000,
  state: (_, { self }) => ({ self, bank: undefined, accounts: [], completed: 0 }),
  async receive(messages, context) {
    const { state, key } = context;
    for (const message of messages) {
      if (message.type === 'bank') {
        state.bank = message;
        state.accounts = Array.from({ length: message.body.accounts }, (_, at) =>
          context.ref(account, `${key}-${at}`),
        );
        await order(state, message.body);
      } else if (++state.completed === state.bank?.body.transactions) {
        state.bank.reply([state.completed, await sumOfBalances(state.accounts)]);
      }
    }
  },
});

async function order({ accounts, self: teller }: Teller, bank: Bank): Promise<void> {
  for (const opened of accounts) void opened.tell({ type: 'open', balance: bank.initialBalance });
  const giving = Math.floor((accounts.length * bank.givingOfTen) / 10);
  const random = new PseudoRandom(bank.seed);
  for (let sent = 0; sent < bank.transactions; sent++) {
    const from = accounts[random.next() % giving] as Account;
    const to = accounts[giving + (random.next() % (accounts.length - giving))] as Account;
    const room = from.tell({ type: 'order', amount: random.next() % 1_000, to, teller });
    if (room !== undefined) await room;
  }
}

async function sumOfBalances(accounts: readonly Account[]): Promise<number> {
  const balances = await Promise.all(accounts.map((asked) => asked.ask({ type: 'report' })));
  return balances.reduce((sum, balance) => sum + balance, 0);
}
