import t from 'tap';
import { environmentFacts, judged, limitOf, margin, ranked, showBar, showVerdicts } from './reading.js';
import { FIXTURE } from './test/fixture.js';
import { ODD } from './test/odd.js';

const measures = FIXTURE.scenarios.flatMap((scenario) => scenario.measures);
const group = (title: string, of = measures) => {
  const found = of.find((one) => one.title === title);
  if (found === undefined) throw new Error(`no group ${title}`);
  return found;
};

t.test('the best stands first', async (t) => {
  for (const { better, measures: shown } of measures.map((one) => ({ ...one, measures: ranked(one) }))) {
    const medians = shown.map(({ interval }) => interval.median);
    t.strictSame(
      medians,
      medians.toSorted((a, b) => (better === 'more' ? b - a : a - b)),
    );
  }
  const names = ranked(group('No numbers', [...ODD.measures])).map(({ subject }) => subject);
  t.strictSame(names, ['Tether', 'not a number', 'negative'], 'what is no figure stands last');
});

t.test('of several limits the hardest holds', async (t) => {
  t.equal(limitOf(group('Median answer, 1 connection'))?.subject, 'bare 4 KiB write and fdatasync');
  t.equal(limitOf(group('Resident memory, last ten minutes')), undefined);
  t.equal(
    limitOf(group('From microseconds to seconds, and a zero', [...ODD.measures])),
    undefined,
    'zero is none',
  );
});

t.test('ratios are sorted by what needs attention', async (t) => {
  const all = judged(FIXTURE);
  t.equal(all.length, FIXTURE.scenarios.flatMap(({ ratios }) => ratios).length);
  t.match(
    all.map(({ ratio }) => ratio.verdict),
    ['missed', 'missed-within-noise', 'met-within-noise', 'met-within-noise', 'met'],
  );
  const margins = all.flatMap(({ ratio: { verdict, bar, interval } }) =>
    verdict === 'met' && bar !== undefined ? [margin(interval.median, bar)] : [],
  );
  t.strictSame(margins, margins.toSorted(), 'the nearest to its bar first');
  t.equal(showVerdicts(FIXTURE), '9 bars: 1 missed, 1 missed within noise, 2 met within noise, 5 met');
  t.equal(showVerdicts({ ...FIXTURE, scenarios: [] }), '');
  t.equal(showBar({ atMost: 1.8 }), 'at most 1.8');
});

t.test('the environment says what is unusual', async (t) => {
  const environment = {
    ...FIXTURE.environment,
    loadBefore: 1.5,
    commit: 'abc+',
    pinning: '',
    fileSystem: '',
  };
  const facts = new Map(
    environmentFacts({ ...FIXTURE, environment }).map(({ name, value }) => [name, value]),
  );
  t.equal(facts.get('load in the minute before'), '1.50: something else was at work');
  t.equal(facts.get('commit'), 'abc, with changes that are not committed');
  t.equal(facts.get('pinning'), 'not bound');
  t.equal(facts.get('file system of the data'), 'unknown');
});
