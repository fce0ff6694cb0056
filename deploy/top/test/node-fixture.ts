/** A server that speaks as the API of a node does as far as `tether top` asks, and does what a test tells it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Test } from 'tap';
import type { PoolStatus, Status } from '../../../gateway/api/status-schema.js';
import { statusOf } from '../../../gateway/test/made-up-status.js';
import { serve } from '../../test/serve.js';

interface NodeFixture {
  readonly url: string;
  status: Status;
  /** `METHOD path body` of each request that would change something. */
  readonly changes: readonly string[];
  /** How many streams were opened so far. */
  readonly streams: () => number;
  /** Sends the status to all who listen. */
  tell(): void;
  /** Ends all streams, and refuses new ones with `statusCode` while it is set. */
  cut(statusCode?: number): void;
}

const TOKEN = 'test-operator-token';
const READER = 'test-reader-token-1';
const PERIOD_MS = 100;

async function serveNode(t: Test): Promise<NodeFixture> {
  const live = new Set<ServerResponse>();
  const changes: string[] = [];
  let opened = 0;
  let refusal: number | undefined;
  const problem = (response: ServerResponse, code: number, title: string) =>
    response
      .writeHead(code, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ title, status: code }));
  const { url } = await serve(t, async (request, response) => {
    const path = request.url ?? '';
    const token = request.headers.authorization;
    if (token !== `Bearer ${TOKEN}` && token !== `Bearer ${READER}`)
      return problem(response, 401, 'No token');
    if (request.method !== 'GET') {
      if (token === `Bearer ${READER}`) return problem(response, 403, 'Scope missing');
      const body = await textOf(request);
      changes.push(`${request.method} ${path} ${body}`);
      fixture.status = { ...fixture.status, pools: changed(fixture.status.pools, path, body) };
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }
    if (path === '/api/status') return response.end(JSON.stringify(fixture.status));
    if (path !== '/api/live') return problem(response, 404, 'Not found');
    if (refusal !== undefined) return problem(response, refusal, 'Not now');
    opened += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 1000\n\n${eventOf(fixture.status)}`);
    live.add(response.on('close', () => live.delete(response)));
    return response;
  });
  const fixture: NodeFixture = {
    url,
    status: statusOf(),
    changes,
    streams: () => opened,
    tell() {
      for (const response of live) response.write(eventOf(fixture.status));
    },
    cut(statusCode) {
      refusal = statusCode;
      for (const response of live) response.end();
    },
  };
  const timer = setInterval(() => fixture.tell(), PERIOD_MS);
  t.teardown(() => clearInterval(timer));
  return fixture;
}

function eventOf(status: Status): string {
  return `event: status\ndata: ${JSON.stringify(status)}\n\n`;
}

/** As the node would show it after the change. */
function changed(pools: readonly PoolStatus[], path: string, body: string): PoolStatus[] {
  return pools.map((pool) => {
    if (!path.startsWith(`/api/pools/${pool.actor}`)) return pool;
    if (path.endsWith('/pause')) return { ...pool, mode: 'paused' };
    if (path.endsWith('/resume')) return { ...pool, mode: 'running' };
    if (path.endsWith('/drain')) return { ...pool, mode: 'drained' };
    const current = { ...pool.settings.current, ...(JSON.parse(body) as object) };
    return {
      ...pool,
      max: current.max,
      min: current.min,
      settings: { ...pool.settings, current, differs: true },
    };
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export { type NodeFixture, READER, serveNode, TOKEN };
