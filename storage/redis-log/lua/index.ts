/** The scripts as commands of a client: sent by their hash, and once by their text over each connection. */
import type { RedisClient } from '../../redis/client.js';
import { APPEND } from './append.js';
import { CLAIM } from './claim.js';
import { COMMIT } from './commit.js';

export interface Scripts {
  append(
    channel: string,
    keys: readonly string[],
    values: readonly (Buffer | number)[],
  ): Promise<readonly number[]>;
  claim(state: string): Promise<readonly [epoch: number, committed: number, end: number]>;
  commit(state: string, frames: string, epoch: number, offset: number): Promise<1 | 0 | -1>;
}

interface WithScripts {
  tetherAppend(keyCount: number, ...values: readonly (string | Buffer | number)[]): Promise<number[]>;
  tetherClaim(state: string): Promise<[number, number, number]>;
  tetherCommit(state: string, frames: string, epoch: number, offset: number): Promise<1 | 0 | -1>;
}

export function defineScripts(client: RedisClient): Scripts {
  client.defineCommand('tetherAppend', { lua: APPEND });
  client.defineCommand('tetherClaim', { lua: CLAIM, numberOfKeys: 1 });
  client.defineCommand('tetherCommit', { lua: COMMIT, numberOfKeys: 2 });
  const scripted = client as unknown as WithScripts;
  return {
    append: (channel, keys, values) => scripted.tetherAppend(keys.length, ...keys, channel, ...values),
    claim: (state) => scripted.tetherClaim(state),
    commit: (state, frames, epoch, offset) => scripted.tetherCommit(state, frames, epoch, offset),
  };
}
