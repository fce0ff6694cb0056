/**
 * The server of `fuzz.test.ts`, in a process of its own: a crash of native code ends the process, and the test sees it.
 *
 * Appends are taken at once, a turn later, some milliseconds later, or refused, by turns of a seeded generator.
 * Messages from the parent: `'report'` is answered with a `FuzzReport`, `'stop'` closes the gateway.
 */
import { LogClosedError, LogFullError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import type { AppendWaiter } from '../../runtime/message-log.js';
import { GatewayMetrics } from '../metrics.js';
import { startGateway } from '../server.js';
import { MemoryPartition } from './memory-partition.js';
import { seededRandom } from './seed.js';
import { PASSWORD } from './start.js';

export interface FuzzReport {
  readonly pending: number;
  /** Keys of the messages on the log. */
  readonly keys: readonly string[];
  readonly rssBytes: number;
}

export interface FuzzStarted {
  readonly port: number;
}

const random = seededRandom(Number(process.argv[2]));

class MoodyPartition extends MemoryPartition {
  override append(envelope: Uint8Array, waiter: AppendWaiter): void {
    const mood = random();
    if (mood < 0.3) this.behaviour = 'take';
    else if (mood < 0.6) this.behaviour = 'later';
    else if (mood < 0.9) this.behaviour = 'hold';
    else this.behaviour = mood < 0.95 ? new LogFullError('full') : new LogClosedError('closed');
    super.append(envelope, waiter);
  }
}

const partitions = Array.from({ length: 4 }, (_, index) => new MoodyPartition('payment', index));
const releasing = setInterval(() => {
  for (const partition of partitions) {
    partition.release(random() < 0.9 ? undefined : new LogFullError('full'));
  }
}, 5);

const gateway = await startGateway({
  host: '127.0.0.1',
  port: 0,
  endpoints: [{ name: 'emp', provider: 'emp', token: 'dev', secrets: [PASSWORD], actor: 'payment' }],
  partitions: () => partitions,
  readiness: () => ({ ready: true, checks: {} }),
  trustedProxies: [],
  proxyProtocol: false,
  metrics: new GatewayMetrics({ processMetrics: false }),
  logger: silentLogger,
  now: Date.now,
});

process.on('message', (message) => {
  if (message === 'report') {
    const keys = partitions.flatMap(({ envelopes }) => envelopes.map(({ key }) => key));
    process.send?.({
      pending: gateway.pending,
      keys,
      rssBytes: process.memoryUsage.rss(),
    } satisfies FuzzReport);
  } else {
    clearInterval(releasing);
    gateway.close();
    process.disconnect();
  }
});
process.send?.({ port: gateway.port } satisfies FuzzStarted);
