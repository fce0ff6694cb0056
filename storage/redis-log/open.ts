import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { LogUnavailableError } from '../../runtime/errors.js';
import { createClient, whenReady } from '../redis/client.js';
import { describe, RedisLogError, toLogError } from './errors.js';
import { LogKeys } from './keys.js';
import { type FilledOptions, fillOptions, type RedisLogOptions } from './options.js';
import { assertPartitions, RedisLog } from './redis-log.js';
import { checkServerSettings, readServerSettings } from './server-settings.js';

/** Before the next try. */
const AGAIN_MS = 100;

/**
 * Connects, makes the log when it is not there, and learns what is on it. A Redis that goes away meanwhile is waited for, `connectMsMax` in
 * all: nodes that start while it restarts need not be started again.
 * @throws RangeError an option; RedisLogError the log there is another; LogUnavailableError Redis cannot be reached
 */
export async function openRedisLog(given: RedisLogOptions): Promise<RedisLog> {
  const options = fillOptions(given);
  const end = performance.now() + options.connectMsMax;
  for (;;) {
    try {
      return await open({ ...options, connectMsMax: Math.max(1, end - performance.now()) });
    } catch (error) {
      if (!(error instanceof LogUnavailableError) || performance.now() + AGAIN_MS >= end) throw error;
      options.logger.debug({ reason: error.message }, 'Redis went away while the log was opened');
      await setTimeout(AGAIN_MS);
    }
  }
}

async function open(options: FilledOptions): Promise<RedisLog> {
  const { place, replyMsMax, logger } = options;
  let reason = '';
  const commands = createClient(place, { name: 'tether-log', patience: 'fails-fast', replyMsMax });
  const subscriber = createClient(place, { name: 'tether-news', patience: 'subscribes', replyMsMax });
  for (const client of [commands, subscriber]) {
    client.on('error', (error: unknown) => {
      reason = describe(error);
      logger.debug({ reason }, 'a connection to Redis failed');
    });
  }
  try {
    if (!(await whenReady(commands, options.connectMsMax)))
      throw new LogUnavailableError(`Redis cannot be reached${reason === '' ? '' : `: ${reason}`}`);
    const aof = checkServerSettings(await readServerSettings(commands), options.durable);
    const keys = new LogKeys(options.prefix);
    await commands.hsetnx(keys.log, 'id', randomUUID());
    await commands.hsetnx(keys.log, 'partitions', options.partitions);
    const [id, partitions] = await commands.hmget(keys.log, 'id', 'partitions');
    if (typeof id !== 'string') throw new RedisLogError('the log in Redis has no identity');
    assertPartitions(options.partitions, Number(partitions));
    const actors = await commands.smembers(keys.actors);
    const log = new RedisLog({ id, options, commands, subscriber, actors, aof });
    await log.start();
    return log;
  } catch (error) {
    commands.disconnect();
    subscriber.disconnect();
    throw toLogError(error);
  }
}
