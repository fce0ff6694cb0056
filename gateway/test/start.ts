/** A gateway for tests, on partitions in memory. */
import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { GatewayMetrics } from '../metrics.js';
import { type Gateway, type GatewayOptions, startGateway } from '../server.js';
import { MemoryPartition } from './memory-partition.js';
import { RawClient, type RawResponse, type RequestParts, request } from './raw-client.js';

export const PASSWORD = 'test-api-password-1';
export const WEBHOOK_PATH = '/webhooks/emp/dev';
export const FORM = 'Content-Type: application/x-www-form-urlencoded';

/** A signed notification of an id. */
export function notification(id: string, more = '&status=approved&amount=4999&currency=EUR'): string {
  const signature = createHash('sha1')
    .update(id + PASSWORD)
    .digest('hex');
  return `unique_id=${id}${more}&signature=${signature}`;
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly metrics: GatewayMetrics;
  readonly partitions: readonly MemoryPartition[];
  /** The one partition, when there is one. */
  readonly partition: MemoryPartition;
  /** Sends one request on a connection of its own and gives the answer. */
  ask(parts: RequestParts): Promise<RawResponse>;
  /** `ask` with a webhook. */
  post(body: string, headers?: readonly string[]): Promise<RawResponse>;
  client(): Promise<RawClient>;
}

/** Closed at the end of the test. */
export async function startTestGateway(
  t: Test,
  options: Partial<GatewayOptions> & { readonly partitionCount?: number } = {},
): Promise<TestGateway> {
  const { partitionCount = 1, ...gatewayOptions } = options;
  const partitions = Array.from(
    { length: partitionCount },
    (_, index) => new MemoryPartition('payment', index),
  );
  const [partition] = partitions;
  if (partition === undefined) throw new RangeError('a test gateway has a partition');
  const metrics = options.metrics ?? new GatewayMetrics({ processMetrics: false });
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    endpoints: [{ name: 'emp', provider: 'emp', token: 'dev', secrets: [PASSWORD], actor: 'payment' }],
    partitions: () => partitions,
    readiness: () => ({ ready: true, checks: { log: 'ok' } }),
    trustedProxies: [],
    proxyProtocol: false,
    logger: silentLogger,
    now: Date.now,
    ...gatewayOptions,
    metrics,
  });
  const clients: RawClient[] = [];
  t.teardown(() => {
    for (const client of clients) client.destroy();
    gateway.close();
  });
  const client = async () => {
    const opened = await RawClient.open(gateway.port);
    clients.push(opened);
    return opened;
  };
  const ask = async (parts: RequestParts) => {
    const opened = await client();
    opened.write(request(parts));
    const response = await opened.response({ head: parts.method === 'HEAD' });
    opened.destroy();
    return response;
  };
  const post = (body: string, headers: readonly string[] = [FORM]) =>
    ask({ method: 'POST', path: WEBHOOK_PATH, headers, body });
  return { gateway, metrics, partitions, partition, ask, post, client };
}
