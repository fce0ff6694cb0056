/** What a log in Redis is told when it is opened, and the defaults. */
import { type Clock, systemClock } from '../../runtime/clock.js';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import { parseRedisUrl, type RedisPlace } from '../redis/url.js';

const MIB = 1024 * 1024;

export interface RedisLogOptions {
  /** See `client.ts` for its forms. */
  readonly url: string;
  /** In front of every key; default `tether`. Logs of different prefixes are apart. */
  readonly prefix?: string;
  /** Of each actor type, 1 to 16,384; default 64. The same for as long as the log is there. */
  readonly partitions?: number;
  /** Messages that wait for Redis; above it appends fail with `LogFullError`. Default 8 MiB. */
  readonly pendingBytesMax?: number;
  /**
   * Acknowledged means that so many replicas have it as well; default 0: Redis itself, as durable as its append-only file. Not in a Cluster,
   * whose client does not tell which master a `WAIT` goes to.
   */
  readonly replicas?: number;
  /** Whether a Redis without an append-only file is refused; default true. */
  readonly durable?: boolean;
  /** For a reply of Redis, milliseconds; default 5,000. */
  readonly replyMsMax?: number;
  /** For the first connection, milliseconds; default 10,000. */
  readonly connectMsMax?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Calls `action` at the end of this turn of the event loop; default `setImmediate`. For simulations, whose turns are their own. */
  readonly atTurnEnd?: (action: () => void) => void;
}

export type FilledOptions = Required<Omit<RedisLogOptions, 'url'>> & { readonly place: RedisPlace };

/** @throws RangeError that names the option and what is allowed; it does not repeat the URL, which may hold a password */
export function fillOptions(options: RedisLogOptions): FilledOptions {
  const place = parseRedisUrl(options.url);
  if (place === undefined) {
    throw new RangeError(
      'url is none of Redis: redis://host:port/db, redis+sentinel://host:port,.../name or redis+cluster://host:port,...',
    );
  }
  const filled = {
    place,
    prefix: options.prefix ?? 'tether',
    partitions: options.partitions ?? 64,
    pendingBytesMax: options.pendingBytesMax ?? 8 * MIB,
    replicas: options.replicas ?? 0,
    durable: options.durable ?? true,
    replyMsMax: options.replyMsMax ?? 5_000,
    connectMsMax: options.connectMsMax ?? 10_000,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    atTurnEnd: options.atTurnEnd ?? setImmediate,
  };
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(filled.prefix))
    throw new RangeError(`prefix is ${filled.prefix}, allowed are 1 to 64 letters, digits and ._:-`);
  check('partitions', filled.partitions, 1, 16_384);
  check('pendingBytesMax', filled.pendingBytesMax, 4_096, 4_096 * MIB);
  check('replicas', filled.replicas, 0, place.kind === 'cluster' ? 0 : 100);
  check('replyMsMax', filled.replyMsMax, 10, 600_000);
  check('connectMsMax', filled.connectMsMax, 0, 600_000);
  return filled;
}

function check(name: string, value: number, min: number, max: number): void {
  if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`${name} is ${value}, allowed is ${min} to ${max}`);
  }
}
