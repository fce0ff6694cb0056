/**
 * Which partition a key belongs to.
 *
 * This function decides the order of messages: one key's messages are in order only because all of them hash to one
 * partition. It can never change while a log holds messages. `partition.test.ts` holds it fast with fixed vectors.
 *
 * FNV-1a over the UTF-16 code units (offset basis 0x811c9dc5, prime 0x01000193, each unit taken whole where the original
 * takes bytes), then the finaliser of MurmurHash3 (`fmix32`), because the low bits of FNV-1a alone depend on the low bits
 * of the input alone and the modulo looks at nothing else; then modulo `count`.
 */

import type { AsciiText } from './ascii-text.js';

/** The group of a key: the keys of a group are in one partition. See `ActorDefinition.group`. */
export type Group = (key: string) => string;

/** A user's function may fail: then, wherever it is asked, the key is a group of its own. */
export function groupOf(group: Group | undefined, key: string): string {
  if (group === undefined) return key;
  try {
    const name: unknown = group(key);
    return typeof name === 'string' ? name : key;
  } catch {
    return key;
  }
}

/** The partition of a key of a type that has groups, or none. */
export function partitionIn(group: Group | undefined, key: string | AsciiText, count: number): number {
  return partitionOf(group === undefined ? key : groupOf(group, key.toString()), count);
}

/** 0 to `count` - 1. `count`: a positive integer below 2^32. */
export function partitionOf(key: string | AsciiText, count: number): number {
  let hash = 0x811c9dc5;
  if (typeof key === 'string') {
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  } else {
    const { bytes, length } = key;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}
