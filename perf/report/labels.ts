/** Room for text in plots: how wide it is, how it breaks into lines, and how labels stay apart. */

/** Advance widths of Helvetica, and so of Arial and Liberation Sans, in em; of groups of characters that are alike. */
const WIDTHS: readonly (readonly [characters: string, em: number])[] = [
  ["ijl'|", 0.222],
  [' .,:;!/ftI[]\\', 0.278],
  ['r()-"`', 0.34],
  ['cksvxyzJ*', 0.5],
  ['FLTZ+=<>~', 0.6],
  ['ABEKPSVXY&', 0.667],
  ['CDHNRUw', 0.722],
  ['GOQ', 0.778],
  ['mM%', 0.86],
  ['W@', 0.98],
];
const USUAL_EM = 0.556;
/** Of what is not Latin: often as wide as it is high. */
const WIDE_EM = 1;
const EM_OF = new Map(WIDTHS.flatMap(([characters, em]) => [...characters].map((one) => [one, em] as const)));

export function textWidth(text: string, size: number): number {
  let em = 0;
  for (const character of text) em += EM_OF.get(character) ?? (character > '\u2fff' ? WIDE_EM : USUAL_EM);
  return em * size;
}

/** Lines of at most `width`, broken at spaces, and within a word only where the word alone is wider. */
export function wrap(text: string, width: number, measure: (text: string) => number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((word) => pieces(word, width, measure))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function pieces(word: string, width: number, measure: (text: string) => number): readonly string[] {
  if (measure(word) <= width) return [word];
  const found: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && measure(piece + character) > width) {
      found.push(piece);
      piece = character;
    } else piece += character;
  }
  return [...found, piece];
}

export interface Label {
  /** Where its middle should be. */
  readonly at: number;
  readonly height: number;
}

/**
 * Middles of labels, in the given order, so that none overlaps another, all lie between `low` and `high` if they fit there, and the sum of the
 * squared distances to where they should be is least: isotonic regression by pooling of adjacent violators (Ayer et al., 1955).
 */
export function apart(labels: readonly Label[], low: number, high: number): readonly number[] {
  const order = labels.map((_, index) => index).sort((a, b) => atOf(labels, a) - atOf(labels, b));
  const offsets: number[] = [];
  let total = 0;
  for (const index of order) {
    const { height } = labels[index] as Label;
    offsets.push(total + height / 2);
    total += height;
  }
  const pools: { sum: number; count: number }[] = [];
  for (const [place, index] of order.entries()) {
    let pool = { sum: atOf(labels, index) - (offsets[place] as number), count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.sum / last.count > pool.sum / pool.count; ) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, count: pool.count + last.count };
      last = pools.at(-1);
    }
    pools.push(pool);
  }
  const starts = pools.flatMap(({ sum, count }) => Array<number>(count).fill(sum / count));
  const found = Array<number>(labels.length).fill(low);
  for (const [place, index] of order.entries()) {
    const start = Math.max(low, Math.min(high - total, starts[place] as number));
    found[index] = start + (offsets[place] as number);
  }
  return found;
}

function atOf(labels: readonly Label[], index: number): number {
  return labels[index]?.at ?? 0;
}
