/** The gateway as benchmarks measure it: one endpoint as a rule, silent, on a free port of 127.0.0.1. */
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { type Endpoint, type Gateway, GatewayMetrics, startGateway } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import type { MessageLog } from '../../runtime/message-log.js';

export function startGatewayOf(
  log: MessageLog,
  endpoints: readonly Endpoint[] = [DEFAULT_ENDPOINT],
): Promise<Gateway> {
  return startGateway({
    host: '127.0.0.1',
    port: 0,
    endpoints,
    partitions: (actor) => log.open(actor),
    readiness: () => ({ ready: true, checks: {} }),
    trustedProxies: [],
    proxyProtocol: false,
    metrics: new GatewayMetrics(),
    logger: silentLogger,
    now: Date.now,
  });
}
