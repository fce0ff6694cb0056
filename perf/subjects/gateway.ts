/** The gateway as benchmarks measure it: one endpoint, silent, on a free port of 127.0.0.1. */
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { type Gateway, GatewayMetrics, startGateway } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import type { MessageLog } from '../../runtime/message-log.js';

export function startGatewayOf(log: MessageLog): Promise<Gateway> {
  return startGateway({
    host: '127.0.0.1',
    port: 0,
    endpoints: [DEFAULT_ENDPOINT],
    partitions: (actor) => log.open(actor),
    readiness: () => ({ ready: true, checks: {} }),
    trustedProxies: [],
    proxyProtocol: false,
    metrics: new GatewayMetrics(),
    logger: silentLogger,
    now: Date.now,
  });
}
