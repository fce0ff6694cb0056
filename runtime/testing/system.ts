/** An actor system with real threads, for tests. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { ActorSystem } from '../actor-system.js';
import { encodeEnvelope } from '../envelope.js';
import { silentLogger } from '../logger.js';
import type { PoolSize } from '../pool/pool-size.js';
import type { DeadLetter } from '../stores/dead-letter.js';
import type { ActorSystemOptions } from '../system-options.js';
import { MemoryLog } from './memory-log.js';

/** URL of a test actor. */
export const module = (name: string) => new URL(`./actors/${name}.js`, import.meta.url).href;

interface Tap {
  teardown(action: () => Promise<void>): void;
}

/** A system with real threads on a log in memory; what its actors say is in `said`. */
export async function startSystem<Said>(
  t: Tap,
  actor: string,
  options: Partial<ActorSystemOptions> = {},
  threads: PoolSize = 2,
  settings: object = {},
) {
  const channel = randomUUID();
  const said: Said[] = [];
  const listener = new BroadcastChannel(channel);
  listener.onmessage = (event) => said.push((event as { readonly data: Said }).data);
  const log = options.log ?? new MemoryLog(8);
  const stored: DeadLetter[] = [];
  const system = new ActorSystem({
    log,
    deadLetters: {
      put: async (letters) => {
        stored.push(...letters);
      },
    },
    actors: [{ module: module(actor), threads, settings: { channel, ...settings } }],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
    ...options,
  });
  t.teardown(async () => {
    if (system.mode !== 'stopped') await system.drain(5_000);
    listener.close();
  });
  await system.start();
  const tell = (key: string, text: string, dedupe: string = randomUUID()) =>
    new Promise<number>((resolve, reject) => {
      const payload = Buffer.from(text);
      const envelope = { id: randomUUID(), actor, key, dedupe, receivedAt: 0, traceparent: '', payload };
      const partition = log.open(actor)[Number(key) % log.partitions];
      partition?.append(encodeEnvelope(envelope), { appended: resolve, appendFailed: reject });
    });
  return { system, log, said, stored, tell };
}
