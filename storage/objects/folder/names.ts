/**
 * Where things are in a folder of objects.
 *
 * ```
 * objects/uploads=<id>                        an object; `=` stands for the `/` of its key, which no key has
 * multiparts/uploads=<id>~<multipart>/        a multipart: when it began, in hexadecimal milliseconds, then random digits
 *            00001.<etag>                     a part; its name alone says that it is whole
 * temporary/<random>                          what is being written, or being removed
 * ```
 * Flat, so that no directory has to come and go with an object, and no object's name can be that of a directory. A list reads all names: good for
 * some hundred thousand objects.
 */
import { randomBytes } from 'node:crypto';
import { isKey } from '../checks.js';

export const DIRECTORIES = ['objects', 'multiparts', 'temporary'] as const;

const PART_NAME = /^(\d{5})\.([0-9a-f]{16})$/;
const MULTIPART = /^[0-9a-f]{32}$/;
const TIME_DIGITS = 12;

export function fileNameOf(key: string): string {
  return key.replaceAll('/', '=');
}

/** Undefined for a file that is no object's, such as one of a file manager. */
export function keyOf(fileName: string): string | undefined {
  const key = fileName.replaceAll('=', '/');
  return isKey(key) && fileName === fileNameOf(key) ? key : undefined;
}

export function newMultipart(now: number): string {
  return now.toString(16).padStart(TIME_DIGITS, '0') + randomBytes(10).toString('hex');
}

export function isMultipart(multipart: string): boolean {
  return MULTIPART.test(multipart);
}

export function multipartName(key: string, multipart: string): string {
  return `${fileNameOf(key)}~${multipart}`;
}

export function multipartOf(
  name: string,
): { readonly key: string; readonly multipart: string; readonly startedAt: Date } | undefined {
  const [fileName = '', multipart = ''] = name.split('~');
  const key = keyOf(fileName);
  if (key === undefined || !isMultipart(multipart)) return undefined;
  return { key, multipart, startedAt: new Date(Number.parseInt(multipart.slice(0, TIME_DIGITS), 16)) };
}

export function newEtag(): string {
  return randomBytes(8).toString('hex');
}

export function partName(number: number, etag: string): string {
  return `${String(number).padStart(5, '0')}.${etag}`;
}

export function partOf(name: string): { readonly number: number; readonly etag: string } | undefined {
  const [, number, etag] = PART_NAME.exec(name) ?? [];
  return number === undefined || etag === undefined ? undefined : { number: Number(number), etag };
}

export function temporaryName(): string {
  return randomBytes(12).toString('hex');
}
