/**
 * Which process is it, and does it live? A pid alone does not say: it is used again, after a restart of the machine at
 * once. With the start time of the process and the boot id of the machine it is unique; both come from /proc. Elsewhere
 * (macOS) the pid has to do.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import { hasCode } from './has-code.js';

export interface ProcessIdentity {
  readonly token: string;
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; empty without /proc. */
  readonly startTime: string;
  readonly bootId: string;
  /** The pid namespace: pids of two containers must not be compared. */
  readonly namespace: string;
  readonly hostname: string;
  readonly lockedAt: string;
}

export async function selfIdentity(token: string): Promise<ProcessIdentity> {
  const stat = await readStat(process.pid);
  return {
    token,
    pid: process.pid,
    startTime: stat?.startTime ?? '',
    bootId: await bootId(),
    namespace: await namespace(),
    hostname: os.hostname(),
    lockedAt: new Date().toISOString(),
  };
}

/** Of a file's text. Anything that is not an identity gives one that is dead: pid 0. */
export function parseIdentity(text: string): ProcessIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const string = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '');
  const token = string('token');
  return {
    // The token becomes part of a file name.
    token: /^[\w-]{1,64}$/.test(token) ? token : 'invalid',
    pid: typeof fields.pid === 'number' && Number.isSafeInteger(fields.pid) ? fields.pid : 0,
    startTime: string('startTime'),
    bootId: string('bootId'),
    namespace: string('namespace'),
    hostname: string('hostname'),
    lockedAt: string('lockedAt'),
  };
}

/**
 * `unknown` when the owner cannot be looked up from here: another host, another container's pids, or another boot. Of
 * the same host that one is dead; but a host's name may be another's too (a pod moved to another node keeps it).
 */
export async function isOwnerAlive(owner: ProcessIdentity): Promise<boolean | 'unknown'> {
  if (owner.pid <= 0) return false;
  const self = await selfIdentity('');
  const { hostname, bootId, namespace } = owner;
  if (hostname !== self.hostname || bootId !== self.bootId || namespace !== self.namespace) return 'unknown';
  if (owner.startTime === '') return answersSignal(owner.pid);
  const stat = await readStat(owner.pid);
  // A zombie holds its pid but writes nothing any more.
  return stat !== undefined && stat.startTime === owner.startTime && !/[ZXx]/.test(stat.state);
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

/** Undefined when there is no such process, or no /proc. */
async function readStat(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  const text = await readOptional(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name, field 2, may hold blanks and parentheses; what follows its last ')' starts with field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

async function bootId(): Promise<string> {
  return (await readOptional('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
}

async function namespace(): Promise<string> {
  try {
    return await fs.readlink('/proc/self/ns/pid');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process went away between open and read.
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
}
