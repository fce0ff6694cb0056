/**
 * Where a value of a request stands, as an endpoint's options say it: `header:x-event-id`, or `body:/data/object/id` with a JSON pointer
 * (RFC 6901).
 */
import { z } from 'zod';
import { type HeaderNames, memberAt, type Reading, textOf } from './reading.js';

/** The characters of a header's name (RFC 9110, token). */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const HEADER = /^header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const LOCATION =
  /^(?:header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}|body:(?:\/(?:[^~/\p{Cc}]|~[01]){0,64}){1,16})$/u;

export const headerLocation = z
  .string('is a text')
  .regex(HEADER, 'is a header, such as header:x-signature')
  .meta({ description: 'A header, such as header:x-signature' });

export const location = z
  .string('is a text')
  .regex(LOCATION, 'is a header or a place in the JSON, such as header:x-event-id or body:/data/id')
  .meta({ description: 'A header (header:x-event-id) or a place in the JSON of the body (body:/data/id)' });

/** The name in a location that is a header. */
export function headerOf(text: string): string {
  return text.slice('header:'.length).toLowerCase();
}

/** Reads the value at a location; '' when there is none that can be a key, an id or a type. */
export type Reader = (reading: Reading) => string;

/** @param text of the form of `location` */
export function readerOf(text: string, names: HeaderNames): Reader {
  if (text.startsWith('header:')) {
    const position = names.position(headerOf(text));
    return (reading) => textOf(reading.header(position));
  }
  const path = text
    .slice('body:/'.length)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (reading) => textOf(memberAt(reading.json(), path));
}

/** The first of some locations that has a value. */
export function firstOf(texts: readonly string[], names: HeaderNames): Reader {
  const readers = texts.map((text) => readerOf(text, names));
  return (reading) => {
    for (const read of readers) {
      const value = read(reading);
      if (value !== '') return value;
    }
    return '';
  };
}
