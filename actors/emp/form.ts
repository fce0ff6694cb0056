/**
 * Decodes `application/x-www-form-urlencoded` bytes exactly as WHATWG's URL Standard says (section 5.1): names and
 * values in the order of the body, repeats included, and no input is an error. `+` is a space, a `%` that two hex
 * digits do not follow stands for itself, bytes that are not UTF-8 become U+FFFD.
 *
 * Works on a string of one character per byte, because slicing and searching strings is native code. Most names and
 * values are plain ASCII and are slices of it; only the others are decoded byte by byte.
 */
import { isUtf8 } from 'node:buffer';

export type FormField = readonly [name: string, value: string];

const NEEDS_DECODING = /[%+\x80-\xff]/;
// The standard says "UTF-8 decode without BOM": a byte order mark is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Calls `visit` with each pair of `body`, in order. `raw`: the value as it stands there, one character per byte. Makes nothing
 * that outlives the call.
 */
export function visitForm(body: Uint8Array, visit: (name: string, value: string, raw: string) => void): void {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const plain = !NEEDS_DECODING.test(text);
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('&', start);
    if (end === -1) end = text.length;
    if (end > start) {
      const pair = text.slice(start, end);
      const equals = pair.indexOf('=');
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? '' : pair.slice(equals + 1);
      if (plain) visit(name, value, value);
      else visit(decodeComponent(name), decodeComponent(value), value);
    }
    start = end + 1;
  }
}

export function decodeForm(body: Uint8Array): FormField[] {
  const fields: FormField[] = [];
  visitForm(body, (name, value) => {
    fields.push([name, value]);
  });
  return fields;
}

/** Whether the bytes that a raw value stands for are UTF-8, so that no other bytes are decoded to the same text. */
export function isUtf8Value(raw: string): boolean {
  return isUtf8(decodeBytes(raw));
}

function decodeComponent(component: string): string {
  return NEEDS_DECODING.test(component) ? utf8.decode(decodeBytes(component)) : component;
}

function decodeBytes(component: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(component.length);
  let length = 0;
  for (let i = 0; i < component.length; i++) {
    let byte = component.charCodeAt(i);
    if (byte === 0x2b) {
      byte = 0x20;
    } else if (byte === 0x25 && i + 2 < component.length) {
      const high = hexDigit(component.charCodeAt(i + 1));
      const low = hexDigit(component.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** 0 to 15, or -1 when `code` is no hex digit. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
