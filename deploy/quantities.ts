/** Sizes as people write them: a whole number of bytes, or one with KiB, MiB or GiB behind it. */

const UNITS: ReadonlyMap<string, number> = new Map([
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
]);
const FORM = /^(\d{1,15})\s*(B|KiB|MiB|GiB)?$/;

/** The bytes that `text` stands for, or undefined when it is no size. */
function parseBytes(text: string): number | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (UNITS.get(match[2] ?? '') ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `bytes` in the largest unit that divides it. */
function formatBytes(bytes: number): string {
  for (const [unit, factor] of UNITS) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

export { formatBytes, parseBytes };
