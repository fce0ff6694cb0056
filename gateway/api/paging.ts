/** What lists of the operators' API have in common: limits, times and cursors. */
import { z } from 'zod';

/** The longest text to look for; longer ones do not exist. */
const TEXT_LENGTH_MAX = 512;

export const textSchema = z.string().min(1).max(TEXT_LENGTH_MAX);

/** Milliseconds since the epoch, as they are or as ISO 8601. */
export const timeSchema = z
  .union(
    [z.int().min(0), z.string().regex(/^[0-9]{1,15}$/), z.iso.date(), z.iso.datetime({ offset: true })],
    {
      error: 'milliseconds since the epoch, or a date or time of ISO 8601 with Z or an offset (its + as %2B)',
    },
  )
  .transform((time) => {
    if (typeof time === 'number') return time;
    return /^[0-9]+$/.test(time) ? Number(time) : Date.parse(time);
  });

export function limitSchema(standard: number, max: number) {
  return z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(standard);
}

/** Opaque to clients. */
export function cursorOf(...parts: readonly (string | number)[]): string {
  return Buffer.from(parts.join(' ')).toString('base64url');
}

/** A cursor of `cursorOf`, whose parts have these forms. */
export function cursorSchema(...forms: readonly RegExp[]) {
  return z
    .string()
    .max(TEXT_LENGTH_MAX)
    .transform((cursor, context) => {
      const parts = Buffer.from(cursor, 'base64url').toString().split(' ');
      if (parts.length === forms.length && forms.every((form, at) => form.test(parts[at] ?? '')))
        return parts;
      context.addIssue('the next of a page before');
      return z.NEVER;
    })
    .optional();
}

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const MILLISECONDS = /^-?[0-9]{1,16}$/;
