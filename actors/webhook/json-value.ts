/**
 * A JSON body as a value of CEL: objects are maps, numbers are doubles. What is no JSON, or nested deeper than anybody writes, is null, and
 * has no fields.
 *
 * Maps, and not the objects that a parser makes: a field named `constructor` or `__proto__` is a field like any other.
 */
import { celList, celMap } from '@bufbuild/cel';

type Value = null | boolean | number | string | ReturnType<typeof celMap> | ReturnType<typeof celList>;

const DEPTH_MAX = 100;

export function readJson(body: Uint8Array): Value {
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
    return toValue(JSON.parse(text), 0);
  } catch {
    // Nobody has promised JSON. The answer of who asks about a field of it is then that there is none.
    return null;
  }
}

function toValue(json: unknown, depth: number): Value {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deep');
  if (Array.isArray(json)) return celList(json.map((item) => toValue(item, depth + 1)));
  if (typeof json === 'object' && json !== null) {
    return celMap(new Map(Object.entries(json).map(([name, value]) => [name, toValue(value, depth + 1)])));
  }
  return json as null | boolean | number | string;
}
