/** What the actor is told, and when; that it follows, `actors/webhook/system.test.ts` shows. */
import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { ActorSettingsError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import type { Endpoint } from '../endpoint.js';
import { EndpointHandling, handlingSettings } from './handling.js';

const SETTINGS = { databaseUrl: 'postgres://x', idempotencyEntriesMax: 10 };
const endpoint = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  name,
  provider: 'stripe',
  token: 't',
  secrets: ['whsec_x'],
  ...more,
});

t.test('of each endpoint what it is told, and nothing of the others or of secrets', async (t) => {
  const routes = [{ to: ['ledger'], continue: false }];
  const settings = handlingSettings(SETTINGS, [
    endpoint('emp', { provider: 'emp', actor: 'payment' }),
    endpoint('pay', { routes, order: 'none', delaySeconds: 3, networks: ['192.0.2.0/24'] }),
    endpoint('kept'),
    endpoint('own', { actor: 'own' }),
  ]);
  t.strictSame(settings, {
    ...SETTINGS,
    endpoints: { pay: { routes, order: 'none', delaySeconds: 3 }, kept: {}, own: { actor: 'own' } },
  });
});

t.test(
  'what comes before the actors have started is kept; what is refused or late holds up nothing',
  async (t) => {
    const given: string[] = [];
    const lines: string[] = [];
    const clock = new ManualClock();
    let answer: () => Promise<void> = async () => {};
    const handling = new EndpointHandling([endpoint('a')], {
      system: {
        changeSettings(actor, settings) {
          const { endpoints } = settings as { readonly endpoints: object };
          given.push(`${actor} ${Object.keys(endpoints)}`);
          return answer();
        },
      },
      webhook: SETTINGS,
      replay: { databaseUrl: 'postgres://x' },
      clock,
      logger: {
        ...silentLogger,
        warn: (_, message) => void lines.push(message),
        error: (_, message) => void lines.push(message),
      },
    });
    await handling.follow([endpoint('b')]);
    t.strictSame(given, []);
    await handling.start();
    await handling.follow([endpoint('b'), endpoint('c')]);
    t.strictSame(given, ['webhook b', 'replay b', 'webhook b,c', 'replay b,c']);
    t.strictSame(lines, []);
    answer = () => Promise.reject(new ActorSettingsError('no'));
    await handling.follow([]);
    t.match(lines, [/could not be changed/, /could not be changed/]);
    answer = () => new Promise(() => {});
    const late = handling.follow([endpoint('d')]);
    clock.advance(2_000);
    await late;
    t.match(lines.slice(2), [/have not taken/, /have not taken/]);
    t.strictSame(given.slice(-2), ['webhook d', 'replay d']);
  },
);
