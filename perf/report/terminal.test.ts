import t from 'tap';
import { VERDICTS } from './reading.js';
import { printResults } from './terminal.js';
import { FIXTURE } from './test/fixture.js';
import { ODD } from './test/odd.js';

t.test('all that was found is printed', async (t) => {
  const text = printResults(FIXTURE);
  // What is broken into lines of a cell, in one again.
  const words = text.replaceAll(/[|\s]+/g, ' ');
  for (const { title, measures, ratios, warnings, method } of FIXTURE.scenarios) {
    for (const part of [title, ...warnings, ...method]) t.ok(words.includes(part), part);
    for (const group of measures) {
      t.ok(words.includes(`${group.title}: ${group.unit}`), group.title);
      for (const { subject } of group.measures) t.ok(words.includes(subject), subject);
    }
    for (const ratio of ratios) t.ok(words.includes(ratio.title.slice(0, 20)), ratio.title);
  }
  for (const verdict of Object.values(VERDICTS)) t.ok(words.includes(verdict.slice(0, 20)), verdict);
  t.match(text, / 40,759 \| \(40,084 to 44,757\) \| 40,401 to 44,355 \| +0\.701 \|/);
  t.match(text, /; the limit is bare 4 KiB write and fdatasync\n/);
  t.ok(text.endsWith('\n\n9 bars: 1 missed, 1 missed within noise, 2 met within noise, 5 met'));
});

t.test('it fits into a terminal', async (t) => {
  for (const scenarios of [FIXTURE.scenarios, [ODD], []]) {
    const wide = printResults({ ...FIXTURE, scenarios })
      .split('\n')
      .filter((line) => line.length > 120);
    t.strictSame(wide, []);
  }
});

t.test('of one round there is no interval, and of no number no figure', async (t) => {
  const text = printResults({ ...FIXTURE, scenarios: [ODD] });
  t.match(text, /\| Tether +\| +12\.5 \| +\(12\.5 to 12\.5\) \| +one round \|/);
  t.match(text, /\| not a number +\| +– \|/);
  t.notMatch(text, /NaN|Infinity|undefined/);
});
