import { DEAF_HOLDER, FLAWS } from './flaws.js';
import { simulate } from './simulation.js';

for (const [name, { flaws, breaks }] of Object.entries({
  ...FLAWS,
  deaf: { flaws: DEAF_HOLDER, breaks: /./ },
  deafNoEpoch: { flaws: { ...DEAF_HOLDER, postgres: { noEpochCheck: true } }, breaks: /^P2/ },
})) {
  let caught = 0;
  const kinds = new Map<string, number>();
  let first = 0;
  for (let seed = 1; seed <= Number(process.argv[2] ?? 100); seed++) {
    const { broken } = await simulate(seed, { flaws });
    if (broken.some((b) => breaks.test(b))) {
      caught++;
      first ||= seed;
    }
    for (const b of new Set(broken.map((b) => b.slice(0, 9)))) kinds.set(b, (kinds.get(b) ?? 0) + 1);
  }
  console.log(name, '| caught', caught, 'first', first, [...kinds]);
}
