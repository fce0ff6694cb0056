/**
 * What answers like a node with one pool, which does so much a second with each thread; for tests that are about `tether tune`. A webhook is
 * echoed, and counted; what was done follows from the time.
 */
import type { IncomingMessage } from 'node:http';
import type { Test } from 'tap';
import type { PoolSettings, Status } from '../../../gateway/api/status-schema.js';
import { HEALTHY, POOL, thread } from '../../status/test/observed.js';
import { serve } from '../../test/serve.js';

const FILE: PoolSettings = { min: 1, max: 1, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };
const range = (min: number, max: number) => ({ min, max });

interface MadeUpNode {
  readonly url: string;
  /** Settings that hold, as tests change them too. */
  settings: PoolSettings;
  scopes: readonly string[];
  /** What webhooks are answered with. */
  webhookStatus: number;
  /** Over what the status would be. */
  status: Partial<Status>;
  /** Of a thread. */
  perSecond: number;
  /** In another mode than `ready` they do nothing. */
  threadMode: string;
  /** How often the status was asked for. */
  asked: number;
  /** Every thread after the first does as much as this share of it. */
  share: number;
  /** `PUT {"max":2}`, `DELETE`. */
  readonly changes: readonly string[];
  /** Signed ids that came. */
  readonly ids: readonly string[];
}

async function madeUpNode(t: Test): Promise<MadeUpNode> {
  const ids: string[] = [];
  const changes: string[] = [];
  let done = 0;
  let looked = performance.now();
  const work = () => {
    const now = performance.now();
    const threads = made.threadMode === 'ready' ? 1 + (made.settings.max - 1) * made.share : 0;
    done = Math.min(ids.length, done + ((now - looked) / 1_000) * made.perSecond * threads);
    looked = now;
  };
  const poolJson = () => ({
    threads: made.settings.max,
    resizing: false,
    settings: {
      current: made.settings,
      differs: JSON.stringify(made.settings) !== JSON.stringify(FILE),
    },
    allowed: {
      min: range(1, 64),
      max: range(1, 64),
      batchMax: range(1, 500),
      lingerMs: range(0, 10_000),
      inFlightMax: range(1, 16_384),
    },
  });
  const answers: Record<string, (body: string) => unknown> = {
    'GET /api/me': () => ({ scopes: made.scopes }),
    'GET /api/config': () => ({ keys: [{ key: 'TETHER_DURABILITY', value: 'commit' }] }),
    'GET /api/status': () => {
      made.asked++;
      return statusOf();
    },
    'GET /api/pools/payment': poolJson,
    'PUT /api/pools/payment': (body) => {
      changes.push(`PUT ${body}`);
      made.settings = { ...made.settings, ...JSON.parse(body) };
      return poolJson();
    },
    'DELETE /api/pools/payment/settings': () => {
      changes.push('DELETE');
      made.settings = FILE;
      return poolJson();
    },
  };
  const statusOf = (): Status => {
    work();
    const lag = ids.length - Math.floor(done);
    return {
      ...HEALTHY,
      at: Date.now(),
      findings: [],
      totals: { ...HEALTHY.totals, acknowledged: ids.length },
      pools: [
        {
          ...POOL,
          threads: Array.from({ length: made.settings.max }, () => ({ ...thread, mode: made.threadMode })),
          done: Math.floor(done),
          lag,
          inFlight: lag,
          settings: { current: made.settings, file: FILE, differs: false },
        },
      ],
      ...made.status,
    };
  };
  const { url } = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    if (request.url?.startsWith('/webhooks/')) {
      work();
      const id = new URLSearchParams(body).get('unique_id') ?? '';
      if (made.webhookStatus === 200) ids.push(id);
      const echo = `<notification_echo><unique_id>${id}</unique_id></notification_echo>`;
      response.writeHead(made.webhookStatus).end(echo);
      return;
    }
    const answer = answers[`${request.method} ${request.url}`];
    const isAllowed = made.scopes.includes('read');
    response.writeHead(answer === undefined ? 404 : isAllowed ? 200 : 403);
    response.end(JSON.stringify(isAllowed ? (answer?.(body) ?? {}) : { title: 'Forbidden' }));
  });
  const made: MadeUpNode = {
    url,
    settings: FILE,
    scopes: ['read', 'operate'],
    webhookStatus: 200,
    status: {},
    perSecond: 30,
    threadMode: 'ready',
    asked: 0,
    share: 1,
    changes,
    ids,
  };
  return made;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

export { FILE, type MadeUpNode, madeUpNode };
