import t from 'tap';
import { instructionsOf, parseTotal } from './callgrind.js';
import { parseDrivings } from './driving.js';
import { parsePerfStat } from './perf-stat.js';

t.test("the total in a file of callgrind's", async (t) => {
  const file = 'version: 1\nevents: Ir\nsummary: 46365758\n\n\nfn=(1) f\n0 46365758\n\ntotals: 46365758\n';
  t.equal(parseTotal(file), 46_365_758);
  t.throws(() => parseTotal('version: 1\nevents: Ir\n'), /no line of totals/);
});

t.test('instructions per call are those of a block less those of an empty one', async (t) => {
  const totals = [0, 10_000, 50, 2_050, 2_010, 2_090];
  const total = (mark: number) => totals[mark] ?? Number.NaN;
  const count = instructionsOf({ name: 'f', calls: 10, marks: [2, 3, 4, 5] }, total);
  t.equal(count?.perCall, 200, 'the median of the blocks');
  t.equal(count?.unsettledPercent.toFixed(1), '4.0');
  t.equal(instructionsOf({ name: 'f', calls: 10, why: 'not in base' }, total), undefined);
});

t.test('what the count program prints', async (t) => {
  const line = '[{"name":"f","calls":10,"bytes":12.5},{"name":"g","calls":10,"why":"not in base: g.js"}]';
  t.strictSame(parseDrivings(`a warning\n${line}\n`), JSON.parse(line));
  t.throws(() => parseDrivings('Killed\n'), /printed no JSON: Killed/);
  t.throws(() => parseDrivings('[{"name":"f"}]'));
});

t.test('what perf stat writes', async (t) => {
  const head = '# started on Mon Jan  5 10:00:00 2026\n\n';
  t.equal(parsePerfStat(`${head}123456,,instructions:u,1000000,100.00,,\n`), 123_456);
  t.throws(() => parsePerfStat(`${head}<not supported>,,instructions:u,0,100.00,,\n`), /did not count/);
  t.throws(() => parsePerfStat(head), /did not count/);
});
