/** For tests: keys that nobody uses, by their ids. */
import { createHash } from 'node:crypto';
import { IbanKeys } from '../keys.js';

/** `keyText('b', 'a')`: b seals, both open. The same id is the same key. */
export function keyText(...ids: readonly string[]): string {
  return ids.map((id) => `${id}:${createHash('sha256').update(`made ${id}`).digest('base64')}`).join(',');
}

export function madeKeys(...ids: readonly string[]): IbanKeys {
  const keys = IbanKeys.parse(keyText(...ids));
  if (keys === undefined) throw new TypeError('no keys');
  return keys;
}
