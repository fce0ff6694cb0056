/** Versions of numbers and points, and ranges of them as npm writes them: `>=20.15 <21`, as far as Tether's own needs it. */

/** Whether `version` is not before `other`. */
function atLeast(version: string, other: string): boolean {
  const [a, b] = [partsOf(version), partsOf(other)];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** @throws RangeError for a range of another form */
function satisfies(version: string, range: string): boolean {
  return range
    .trim()
    .split(/\s+/)
    .every((comparator) => {
      const [, sign, bound = ''] = /^(>=|<)(\d+(?:\.\d+){0,2})$/.exec(comparator) ?? [];
      if (sign === undefined) throw new RangeError(`${JSON.stringify(range)} is no range of >= and <`);
      return atLeast(version, bound) === (sign === '>=');
    });
}

function partsOf(version: string): readonly number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

export { atLeast, satisfies };
