/**
 * The lock of a directory: one owner at a time, also when the last one was killed a moment ago.
 *
 * `LOCK` is made whole by linking a temporary file to its name, which fails when the name is taken. It says who owns it,
 * and a token that no other lock ever had. Is the owner dead (`process-identity.ts`), the lock is taken over:
 *
 * 1. claim the right to replace exactly this lock: the file `LOCK.<its token>`, itself made as a lock is;
 * 2. see that `LOCK` still holds that token (another may have taken over before the claim);
 * 3. rename a file of our own over `LOCK`, and drop the claim.
 *
 * Of any number of racers one gets the claim, and no one else may touch a dead owner's lock: so nobody removes the lock of
 * a live process, which "rename the stale lock away" would allow between its check and its rename. A claim whose owner
 * died is taken over in the same way.
 */

import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../runtime/logger.js';
import { JournalLockedError } from './errors.js';
import { hasCode } from './has-code.js';
import { isOwnerAlive, type ProcessIdentity, parseIdentity, selfIdentity } from './process-identity.js';

export const LOCK_NAME = 'LOCK';
export const HEARTBEAT_MS = 5_000;
/** An owner that cannot be looked up (another host, before a restart) is taken for dead when it has been silent for so long. */
export const SILENCE_MS_MAX = 30_000;
/** An owner that cannot renew its lock for so long gives it up itself. */
const RENEW_MS_MAX = SILENCE_MS_MAX - 2 * HEARTBEAT_MS;
const RETRY_MS = 20;
/** An owner that is seen to live may be dying; after so long it is not. */
const DYING_MS_MAX = 2_000;
/** Claims of dead claimants of dead claimants ...: each level needs one more kill at the wrong moment. */
const CLAIM_DEPTH_MAX = 4;

export interface DirectoryLock {
  /** Called at most once, when the lock is found to be another's: this process hung and was taken for dead. */
  onLost: ((reason: string) => void) | undefined;
  /** Idempotent. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** For an owner that is just dying, or that cannot be looked up and has not been seen to live. */
  readonly waitMsMax: number;
  readonly heartbeatMs?: number;
  readonly logger?: Logger;
}

/**
 * Takes the lock.
 * @throws JournalLockedError when a live process holds it, or one that may be alive for all that is known
 */
export async function lockDirectory(directory: string, options: LockOptions): Promise<DirectoryLock> {
  const identity = await selfIdentity(randomUUID());
  const path = join(directory, LOCK_NAME);
  const startMs = Date.now();
  let firstBeat: number | undefined;
  let told = false;
  for (;;) {
    const holder = await tryLock(path, identity, 0);
    if (holder === undefined) break;
    const beat = await beatOf(path);
    firstBeat ??= beat;
    const waitedMs = Date.now() - startMs;
    const unknown = beat === firstBeat && (await isOwnerAlive(holder)) === 'unknown';
    if (waitedMs >= options.waitMsMax || (waitedMs >= DYING_MS_MAX && !unknown)) {
      throw new JournalLockedError(directory, holder.pid, describe(holder));
    }
    if (waitedMs >= DYING_MS_MAX && !told) {
      told = true;
      const { hostname, lockedAt } = holder;
      options.logger?.warn(
        { directory, hostname, lockedAt, silenceMsMax: SILENCE_MS_MAX },
        'waiting for the lock: its owner, of another host or from before a restart, is not silent for long enough yet',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  await removeLeftovers(directory);
  return new HeldLock(path, identity, options.heartbeatMs ?? HEARTBEAT_MS);
}

/** Whether this process holds the lock, in whichever of its threads. */
export async function isLockedHere(directory: string): Promise<boolean> {
  const holder = await readLock(join(directory, LOCK_NAME));
  if (holder === undefined) return false;
  const { pid, startTime, bootId, namespace } = await selfIdentity(holder.token);
  return (
    holder.pid === pid &&
    holder.startTime === startTime &&
    holder.bootId === bootId &&
    holder.namespace === namespace
  );
}

/** Undefined when the lock is ours now, else who holds it. */
async function tryLock(
  path: string,
  identity: ProcessIdentity,
  depth: number,
): Promise<ProcessIdentity | undefined> {
  const temporary = `${path}.${identity.token}.new`;
  await fs.writeFile(temporary, JSON.stringify(identity), { mode: 0o640 });
  try {
    for (;;) {
      if (await link(temporary, path)) return undefined;
      const holder = await readLock(path);
      if (holder === undefined) continue;
      if (holder.token === identity.token) return undefined;
      if (depth >= CLAIM_DEPTH_MAX || (await isHolderAlive(path, holder))) return holder;
      const claim = `${path}.${holder.token}`;
      const claimant = await tryLock(claim, identity, depth + 1);
      if (claimant !== undefined) return claimant;
      try {
        if ((await readLock(path))?.token === holder.token) {
          await fs.rename(temporary, path);
          return undefined;
        }
      } finally {
        await remove(claim);
      }
    }
  } finally {
    await remove(temporary);
  }
}

async function isHolderAlive(path: string, holder: ProcessIdentity): Promise<boolean> {
  const alive = await isOwnerAlive(holder);
  return alive === 'unknown' ? !(await isSilent(path)) : alive;
}

/** A lock that is gone meanwhile is not silent: the caller tries again. */
async function isSilent(path: string): Promise<boolean> {
  return Date.now() - ((await beatOf(path)) ?? Infinity) >= SILENCE_MS_MAX;
}

/** When the owner last renewed it, in ms since 1970; undefined when there is no lock. */
async function beatOf(path: string): Promise<number | undefined> {
  try {
    return (await fs.stat(path)).mtimeMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

class HeldLock implements DirectoryLock {
  #onLost: ((reason: string) => void) | undefined;
  #lost: string | undefined;
  readonly #path: string;
  readonly #identity: ProcessIdentity;
  #timer: NodeJS.Timeout | undefined;
  #renewedAt = Date.now();
  #beat: Promise<void> = Promise.resolve();

  constructor(path: string, identity: ProcessIdentity, heartbeatMs: number) {
    this.#path = path;
    this.#identity = identity;
    this.#timer = setInterval(() => {
      this.#beat = this.#heartbeat();
    }, heartbeatMs).unref();
  }

  async #heartbeat(): Promise<void> {
    try {
      const holder = await readLock(this.#path);
      if (holder?.token !== this.#identity.token) {
        this.#lose(`its lock is ${holder === undefined ? 'gone' : `held by process ${holder.pid}`}`);
        return;
      }
      const now = new Date();
      await fs.utimes(this.#path, now, now);
      this.#renewedAt = now.getTime();
    } catch (error) {
      // May pass (no file descriptor left); but it ends before another host takes the silence for death.
      if (Date.now() - this.#renewedAt < RENEW_MS_MAX) return;
      this.#lose(`its lock cannot be renewed: ${String(error)}`);
    }
  }

  #lose(reason: string): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lost = reason;
    this.#onLost?.(reason);
  }

  get onLost(): ((reason: string) => void) | undefined {
    return this.#onLost;
  }

  /** Recovery takes its time before there is anyone to tell: a loss meanwhile is told then. */
  set onLost(listener: ((reason: string) => void) | undefined) {
    this.#onLost = listener;
    if (this.#lost !== undefined) listener?.(this.#lost);
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#beat;
    if ((await readLock(this.#path))?.token === this.#identity.token) await remove(this.#path);
  }
}

/** What is in a lock file; undefined when there is none. A lock is whole from the start, so junk is nobody's lock. */
async function readLock(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return parseIdentity(await fs.readFile(path, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function link(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Claims and temporary files of processes that died while they tried; those of live ones are left alone. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (!name.startsWith(`${LOCK_NAME}.`)) continue;
    const path = join(directory, name);
    const holder = await readLock(path);
    if (holder === undefined || (await isHolderAlive(path, holder))) continue;
    // Half written: by a live process that is about to go on, unless it is old.
    if (holder.pid === 0 && !(await isSilent(path))) continue;
    await remove(path);
  }
}

function describe(holder: ProcessIdentity): string {
  return `on host ${holder.hostname}, since ${holder.lockedAt}`;
}
