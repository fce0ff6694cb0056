/**
 * Whether a body is what arrives when it is sent. The codec is fast, and quiet: a function goes as `undefined`, a promise as an
 * empty object, an instance without its class. A test is where to hear of that.
 */
import { BodyError } from '../errors.js';
import { AddressBase } from '../kernel/codec.js';

const DEPTH_MAX = 100;
const KNOWN: readonly (abstract new (...args: never) => object)[] = [
  Date,
  Error,
  RegExp,
  ArrayBuffer,
  AddressBase,
];

/** @throws BodyError naming the place in `value` */
export function checkPlain(value: unknown, path = 'body', depth = 0): void {
  const refuse = (what: string) => {
    throw new BodyError(`${path} is ${what}, which does not arrive as it was sent`);
  };
  if (typeof value === 'function') refuse('a function');
  if (typeof value === 'symbol') refuse('a symbol');
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEPTH_MAX) refuse('too deep, or a cycle');
  const inner = (part: unknown, name: string) => checkPlain(part, `${path}${name}`, depth + 1);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) inner(item, `[${index}]`);
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      inner(key, ' (a key)');
      inner(item, `.get(${String(key)})`);
    }
  } else if (value instanceof Set) {
    for (const item of value) inner(item, ' (an item)');
  } else if (!ArrayBuffer.isView(value) && !KNOWN.some((known) => value instanceof known)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    // The root of whatever realm: that of a VM context is another `Object.prototype`.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      refuse(`an instance of ${value.constructor.name}`);
    }
    for (const [name, item] of Object.entries(value)) inner(item, `.${name}`);
  }
}
