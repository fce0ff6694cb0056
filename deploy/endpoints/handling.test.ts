/** What the actor is told, and when; that it follows, `actors/webhook/system.test.ts` shows. */
import t from 'tap';
import { targetSchema } from '../../actors/forward/target-settings.js';
import { ManualClock } from '../../runtime/clock.js';
import { ActorSettingsError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
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
  'what comes before the actors have started is kept; what is refused or late holds up nothing; targets go first',
  async (t) => {
    const given: string[] = [];
    const lines: string[] = [];
    const clock = new ManualClock();
    let answer: () => Promise<void> = async () => {};
    const served = (endpoints: readonly Endpoint[], targets: readonly string[] = []) => ({
      endpoints,
      targets: targets.map((name) =>
        targetSchema.parse({
          name,
          url: 'http://x/',
          secrets: [`whsec_${Buffer.alloc(24).toString('base64')}`],
        }),
      ),
    });
    const handling = new EndpointHandling(served([endpoint('a')]), {
      system: {
        changeSettings(actor, settings) {
          const { endpoints, targets = [] } = settings as {
            readonly endpoints?: object;
            readonly targets?: readonly { readonly name: string }[];
          };
          given.push(`${actor} ${endpoints ? Object.keys(endpoints) : targets.map(({ name }) => name)}`);
          return answer();
        },
      },
      webhook: SETTINGS,
      forward: { databaseUrl: 'postgres://x' },
      replay: { databaseUrl: 'postgres://x', objects: { driver: 'folder', directory: 'x' } },
      clock,
      logger: {
        ...silentLogger,
        warn: (_, message) => void lines.push(message),
        error: (_, message) => void lines.push(message),
      },
    });
    await handling.follow(served([endpoint('b')], ['x']));
    t.strictSame(given, []);
    await handling.start();
    await handling.follow(served([endpoint('b'), endpoint('c')], ['x', 'y']));
    await handling.follow(served([endpoint('b')], ['x', 'y']));
    await handling.follow(served([endpoint('b', { secrets: ['another'] })], ['x', 'y']));
    t.strictSame(
      given,
      [
        ...['forward x', 'webhook b', 'replay b'],
        ...['forward x,y', 'webhook b,c', 'replay b,c'],
        ...['webhook b', 'replay b'],
      ],
      'each is told what is new to it',
    );
    t.strictSame(lines, []);
    answer = () => Promise.reject(new ActorSettingsError('no'));
    await handling.follow(served([], ['x', 'y']));
    t.match(lines, [/could not be changed/, /could not be changed/]);
    await handling.follow(served([], ['x', 'y']));
    t.equal(lines.length, 4, 'what was refused is told again');
    answer = () => new Promise(() => {});
    const late = handling.follow(served([endpoint('d')], ['x', 'y']));
    await until('it is told', () => given.at(-1) === 'replay d');
    clock.advance(2_000);
    await late;
    t.match(lines.slice(4), [/have not taken/, /have not taken/]);
  },
);
