/**
 * What is tried after a deployment, from the outside, as senders and clients meet it: a webhook, the same again, a forged one, its effect; a file, its
 * rows, and back out.
 *
 * It leaves as little as can be: a notification of an identity check, which is an event and no payment, and a file whose rows are all invalid, so
 * that no debtor comes of it. The file is removed at the end; the event stays, under an id that begins with `smoke-`.
 */
import { randomInt } from 'node:crypto';
import type { z } from 'zod';
import { isEcho } from '../send/emp-client.js';
import { type EmpNotification, empTraffic } from '../send/emp-traffic.js';
import { SmokeFailure, type SmokeHttp } from './http.js';
import { eventsSchema, statusSchema } from './schemas.js';

interface SmokeTarget {
  /** Where senders and clients come to. */
  readonly url: string;
  /** Where `/api` is; the same, unless the balancer hides it. */
  readonly apiUrl: string;
  readonly apiToken: string;
  readonly endpoint: string;
  readonly endpointToken: string;
  readonly password: string;
}

/** What steps hand on to those behind them. */
interface SmokeState {
  readonly notification: EmpNotification;
  readonly forged: EmpNotification;
  uploadId?: string;
}

interface SmokeContext {
  readonly target: SmokeTarget;
  readonly http: SmokeHttp;
  /** Not given up by an interruption: for what makes something, whose id is then known, and for what removes it. */
  readonly lasting: SmokeHttp;
  readonly state: SmokeState;
  /** Asks again until it is something, also while a part is away, within a bound. @throws SmokeFailure with what was away at last, or `late` */
  until<Value>(late: () => string, look: () => Promise<Value | undefined>): Promise<Value>;
}

interface SmokeStep {
  readonly id: string;
  readonly group: 'node' | 'webhooks' | 'uploads';
  readonly title: string;
  /** Without these it makes no sense. */
  readonly needs: readonly string[];
  /** @returns what was found. @throws SmokeFailure */
  run(context: SmokeContext): Promise<string>;
}

const PREFIX = 'smoke-';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function smokeState(password: string): SmokeState {
  const [notification] = empTraffic({
    seed: randomInt(2 ** 32),
    count: 1,
    password,
    kinds: ['kyc'],
    prefix: PREFIX,
  });
  const [forged] = empTraffic({
    seed: randomInt(2 ** 32),
    count: 1,
    // As whoever does not know it would.
    password: `${password}-not`,
    kinds: ['kyc'],
    prefix: PREFIX,
  });
  if (notification === undefined || forged === undefined) throw new Error('no traffic');
  return { notification, forged };
}

async function sendWebhook({ target, http }: SmokeContext, { body }: EmpNotification) {
  const path = `/webhooks/${target.endpoint}/${encodeURIComponent(target.endpointToken)}`;
  return http.request(target.url, 'POST', path, { headers: FORM, body });
}

/** @throws SmokeFailure unless it was echoed */
async function acknowledged(context: SmokeContext): Promise<string> {
  const { notification } = context.state;
  const { status, text, ms } = await sendWebhook(context, notification);
  if (status !== 200) throw new SmokeFailure(`answered ${status}`, ADVICE_BY_STATUS.get(status));
  if (!isEcho(text, notification))
    throw new SmokeFailure(
      'answered 200 without the echo that EMP waits for',
      'does a balancer answer by itself?',
    );
  return `acknowledged in ${ms} ms: ${notification.signedId}`;
}

const ADVICE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'the password (--password) is not one of the endpoint'],
  [
    403,
    'this machine is not in the networks of the endpoint, or the balancer refuses it: run it from one that is',
  ],
  [404, 'no such endpoint (--endpoint), or not its token (--endpoint-token)'],
  [429, 'a rate limit before the node: webhooks should have none'],
  [502, 'the balancer reaches no node'],
  [503, 'the log is full or closed, or every node drains: GET /readyz of the nodes says which'],
  [505, 'the balancer speaks HTTP/1.0: docs/how-to/operate.md, behind a balancer'],
]);

const api = async <Value>({ target, http }: SmokeContext, path: string, schema: z.ZodType<Value>) =>
  http.json(target.apiUrl, 'GET', path, schema, target.apiToken);

const events = (context: SmokeContext, { paymentId }: EmpNotification) =>
  api(
    context,
    `/api/events?${new URLSearchParams({ key: `${context.target.endpoint}:${paymentId}` })}`,
    eventsSchema,
  );

const NODE_STEPS: readonly SmokeStep[] = [
  {
    id: 'health',
    group: 'node',
    title: 'The address answers, and a node behind it is ready',
    needs: [],
    async run({ target, http }) {
      const { status, ms } = await http.request(target.url, 'GET', '/health');
      if (status !== 200)
        throw new SmokeFailure(
          `GET /health: ${status}`,
          ADVICE_BY_STATUS.get(status) ?? 'is this the address of a node?',
        );
      return `200 in ${ms} ms`;
    },
  },
  {
    id: 'api',
    group: 'node',
    title: 'The operations API knows the token',
    needs: ['health'],
    async run(context) {
      const { node, findings } = await api(context, '/api/status', statusSchema);
      const codes = findings.map(({ code }) => code);
      return `version ${node.version}, ${codes.length === 0 ? 'nothing is the matter' : `it says of itself: ${codes.join(', ')}`}`;
    },
  },
];

const WEBHOOK_STEPS: readonly SmokeStep[] = [
  {
    id: 'webhook',
    group: 'webhooks',
    title: 'A signed notification is acknowledged',
    needs: ['health'],
    run: acknowledged,
  },
  {
    id: 'duplicate',
    group: 'webhooks',
    title: 'The same once more is acknowledged too',
    needs: ['webhook'],
    run: acknowledged,
  },
  {
    id: 'forged',
    group: 'webhooks',
    title: 'One with a wrong signature is refused',
    needs: ['webhook'],
    async run(context) {
      const { status } = await sendWebhook(context, context.state.forged);
      if (status === 200)
        throw new SmokeFailure(
          'it was acknowledged',
          'anybody can make payments up: look at the secrets of the endpoint, at once',
        );
      if (status !== 401)
        throw new SmokeFailure(`answered ${status} instead of 401`, ADVICE_BY_STATUS.get(status));
      return 'answered 401';
    },
  },
  {
    id: 'effect',
    group: 'webhooks',
    title: 'It took effect, once, and the forged one did not',
    needs: ['api', 'duplicate'],
    async run(context) {
      const { notification, forged } = context.state;
      const began = performance.now();
      await context.until(
        () => 'it is acknowledged and has not taken effect: the workers, or Postgres, do not work',
        async () => ((await events(context, notification)).events.length > 0 ? true : undefined),
      );
      const ms = Math.round(performance.now() - began);
      const own = (await events(context, notification)).events.length;
      if (own !== 1)
        throw new SmokeFailure(
          `it took effect ${own} times`,
          'two systems with different logs write to one database?',
        );
      if ((await events(context, forged)).events.length > 0)
        throw new SmokeFailure('the forged one took effect', 'look at the secrets of the endpoint, at once');
      return `one event, ${ms} ms after the last answer`;
    },
  },
];

export {
  NODE_STEPS,
  type SmokeContext,
  type SmokeState,
  type SmokeStep,
  type SmokeTarget,
  smokeState,
  WEBHOOK_STEPS,
};
