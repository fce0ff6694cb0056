/**
 * The archive: one actor with one key, which looks every five minutes whether payloads are to be moved out of Postgres.
 *
 * A look is a durable reminder: it outlives restarts, and in a cluster it comes to the node that reads the key's partition. Each look sets the next
 * one before it does anything, so that no failure ends them; a node that starts with an archive begins them.
 *
 * | what may happen                                | what it means                                                             |
 * |------------------------------------------------|---------------------------------------------------------------------------|
 * | the archive is off                             | the next look is taken back, nothing is done                              |
 * | there is more than 20 seconds of work          | a message to itself, so that the partition and a drain never wait for long  |
 * | the object store is away, or refuses           | logged; payloads stay in Postgres, the next look tries again                |
 * | Postgres is away, another node has the partition | thrown, and the runtime delivers again                                    |
 *
 * An outage of the store is no outage to the runtime: it would come again within seconds, and each time read, compress and lose 8 MiB.
 */
import { defineActor } from '../../runtime/actor.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { standBack } from '../../runtime/thread-priority.js';
import { ObjectRefusedError, ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import { openObjectStore } from '../../storage/objects/open.js';
import { type HoldEpochs, holdEpochs } from '../../storage/postgres/fence.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';
import { archive } from './archiver.js';
import { ArchiveDamagedError } from './errors.js';
import { type FilledArchiveSettings, fillArchiveSettings } from './settings.js';

export interface ArchiveMessage {
  readonly type: 'look';
}

interface ArchiveResources {
  readonly pool: Pool;
  /** Undefined when the archive is off. */
  readonly objects: ObjectStore | undefined;
  readonly settings: FilledArchiveSettings;
  readonly ids: MessageIdSource;
}

const REMINDER = 'look';

export default defineActor<ArchiveMessage, undefined, ArchiveResources>({
  type: 'archive',
  scope: 'key',

  async open({ settings, logger }) {
    const filled = fillArchiveSettings(settings);
    const { databaseUrl, connectionsMax, objects } = filled;
    // Nobody waits for it.
    standBack(logger);
    return {
      pool: createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-archive', logger }),
      objects: isOn(filled) ? await openObjectStore(objects, logger) : undefined,
      settings: filled,
      ids: new MessageIdSource(),
    };
  },

  async close({ pool, objects }) {
    await Promise.all([pool.end(), objects?.close()]);
  },

  // One look for all of them.
  async receive(_messages, { actor, epochs, resources, reminders, self, signal, logger }) {
    const { pool, objects, settings, ids } = resources;
    if (objects === undefined) {
      await reminders.cancel(REMINDER);
      return;
    }
    const { fencedBy, afterMs, patienceMs, keepDays, eventsMax, payloadBytesMax, blockBytes } = settings;
    await reminders.set(REMINDER, { afterMs: settings.lookMs }, { type: 'look' });
    const hold: HoldEpochs | undefined =
      fencedBy === undefined ? undefined : (transaction) => holdEpochs(transaction, fencedBy, actor, epochs);
    const limits = { eventsMax, payloadBytesMax, blockBytes };
    const rules = { afterMs, patienceMs, keepDays, limits };
    const end = performance.now() + settings.sliceMs;
    const isTimeOver = () => signal.aborted || performance.now() >= end;
    try {
      const nextId = () => ids.next(Date.now());
      const outcome = await archive({ pool, objects, rules, hold, nextId, logger }, isTimeOver);
      if (outcome === 'paused') await self.tellDurably({ type: 'look' });
    } catch (error) {
      if (!isOfStore(error)) throw error;
      logger.warn({ err: error }, 'payloads could not be archived, and stay in Postgres until the next look');
    }
  },
});

function isOn({ afterMs, keepDays }: FilledArchiveSettings): boolean {
  return afterMs !== undefined || keepDays > 0;
}

function isOfStore(error: unknown): boolean {
  return (
    error instanceof ObjectStoreUnavailableError ||
    error instanceof ObjectRefusedError ||
    error instanceof ArchiveDamagedError
  );
}
