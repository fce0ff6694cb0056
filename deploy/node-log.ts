/** The log of a node: its own journal, or the log that nodes share in Redis. */
import type { Logger } from '../runtime/logger.js';
import type { HistogramCounts } from '../runtime/measure/histogram.js';
import type { MessageLog } from '../runtime/message-log.js';
import { openJournal } from '../storage/journal/index.js';
import { openRedisLog } from '../storage/redis-log/open.js';
import type { RedisLog } from '../storage/redis-log/redis-log.js';
import type { AofSync } from '../storage/redis-log/server-settings.js';
import type { Config } from './config.js';
import { journalDir } from './data-dir.js';

export interface NodeLogStats {
  /** On the disk (journal), or of the Redis that is nearest to its limit. */
  readonly bytes: number;
  /** What senders may fill, actors that pass messages on some more; null when there is no limit. */
  readonly bytesMax: number | null;
  /** Groups written, and messages that landed; since the start. */
  readonly commits: number;
  readonly appended: number;
}

export interface NodeLog {
  readonly log: MessageLog;
  /** The same, when it is the shared one. */
  readonly shared: RedisLog | undefined;
  /** What an acknowledgement is worth, for people. */
  readonly promise: string;
  stats(): NodeLogStats & object;
  /** Of group commits. */
  commitTimes(): HistogramCounts;
}

/** @throws what the drivers throw */
export async function openNodeLog(config: Config, logger: Logger): Promise<NodeLog> {
  return config.redisUrl === undefined
    ? openOwn(config, logger)
    : openShared(config, config.redisUrl, logger);
}

async function openOwn(config: Config, logger: Logger): Promise<NodeLog> {
  const durability = config.durability === 'memory' ? 'memory' : 'commit';
  const journal = await openJournal({
    directory: journalDir(config.dataDir),
    partitions: config.partitions,
    segmentBytes: config.journal.segmentBytes,
    bytesMax: config.journal.bytesMax,
    durability,
    logger,
  });
  return {
    log: journal,
    shared: undefined,
    promise:
      durability === 'commit'
        ? 'a message is answered after it is synced to the journal on this disk'
        : 'a message is answered once the kernel has it: a power cut may lose the last ones',
    commitTimes: () => journal.commitTimes(),
    stats: () => {
      const stats = journal.stats();
      return { ...stats, bytes: stats.diskBytes, bytesMax: config.journal.bytesMax };
    },
  };
}

async function openShared(config: Config, url: string, logger: Logger): Promise<NodeLog> {
  const log = await openRedisLog({
    url,
    partitions: config.partitions,
    durable: config.durability !== 'memory',
    replicas: config.durability === 'replicated' ? 1 : 0,
    logger,
  });
  const replica = config.durability === 'replicated' ? 'and a replica ' : '';
  return {
    log,
    shared: log,
    promise: `a message is answered once Redis ${replica}has it; ${lossOf(log.aof)}`,
    commitTimes: () => log.commitTimes(),
    stats: () => {
      const stats = log.stats();
      // Redis says 0 when it has none.
      return { ...stats, bytes: stats.memoryBytes, bytesMax: stats.memoryBytesMax || null };
    },
  };
}

/** Of Redis alone. */
function lossOf(aof: AofSync | undefined): string {
  switch (aof) {
    case 'always':
      return 'Redis has synced it to its append-only file by then';
    case 'everysec':
      return 'Redis syncs its append-only file every second: a crash of its machine may lose the last second';
    case 'no':
      return 'when Redis syncs its append-only file is up to its kernel: a crash of its machine may lose the last ones';
    case 'unknown':
      return 'when Redis syncs its append-only file it does not tell';
    default:
      return 'Redis has no append-only file: its end loses all messages';
  }
}
