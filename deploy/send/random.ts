/**
 * Random numbers that a seed decides: xoshiro128** (Blackman and Vigna), seeded by splitmix32. The same seed gives the
 * same numbers on every machine; nothing here is fit for secrets.
 */
interface Random {
  /** A whole number from 0 to 2^32 - 1. */
  next(): number;
  /** A whole number from 0 to `bound` - 1; `bound` from 1 to 2^32. */
  below(bound: number): number;
  chance(probability: number): boolean;
  /** One of `items`, which has at least one. */
  pick<const Items extends readonly [unknown, ...unknown[]]>(items: Items): Items[number];
  /** One key of `weights`, as often as its weight says. */
  weighted<K extends string>(weights: readonly (readonly [K, number])[]): K;
  /** `digits` hex digits, a multiple of 8. */
  hex(digits: number): string;
}

function createRandom(seed: number): Random {
  const state = new Uint32Array(4);
  let mix = seed >>> 0;
  for (let i = 0; i < 4; i++) {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    state[i] = z ^ (z >>> 15);
  }

  const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k));
  const next = (): number => {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    state[1] = s1 ^ t2;
    state[0] = s0 ^ t3;
    state[2] = t2 ^ (s1 << 9);
    state[3] = rotate(t3, 11);
    return result;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);

  return {
    next,
    below,
    chance: (probability) => next() < probability * 2 ** 32,
    pick: (items) => items[below(items.length)],
    weighted(weights) {
      let left = below(weights.reduce((sum, [, weight]) => sum + weight, 0));
      for (const [key, weight] of weights) {
        if (left < weight) return key;
        left -= weight;
      }
      throw new RangeError('weights are empty or not whole numbers');
    },
    hex(digits) {
      let text = '';
      while (text.length < digits) text += next().toString(16).padStart(8, '0');
      return text;
    },
  };
}

export { createRandom, type Random };
