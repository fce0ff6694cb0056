/** What seldom happens, all of it in one scenario. */
import type { ScenarioResult, Series } from '../../harness/results.js';
import { group, measure, ratio, rounds } from './made.js';

export const ODD: ScenarioResult = {
  name: 'odd',
  title: 'What seldom happens',
  method: [],
  measures: [
    group('One round', 'ms', 'less', [measure('Tether', 'tether', [12.5]), measure('peer', 'peer', [25])]),
    group('Nothing but zeros', 'errors', 'less', [
      measure('Tether', 'tether', [0, 0, 0]),
      measure('peer', 'peer', [0, 0, 0]),
    ]),
    group('No numbers', 's', 'less', [
      {
        subject: 'not a number',
        role: 'peer',
        rounds: [Number.NaN, 1],
        interval: { median: Number.NaN, low: Number.NaN, high: Number.NaN },
      },
      {
        subject: 'negative',
        role: 'peer',
        rounds: [-1, -2, -3],
        interval: { median: -2, low: -3, high: -1 },
      },
      measure('Tether', 'tether', [1, 2, 3]),
    ]),
    group(
      'Fifteen subjects, one of them with a very long name',
      'requests/s',
      'more',
      Array.from({ length: 15 }, (_, at) =>
        measure(
          at === 4
            ? 'a peer of which the name says with all its settings what it is: sync_interval always, max_in_flight 512, appendonly yes, appendfsync everysec'
            : `peer number ${at + 1}`,
          at === 2 ? 'tether' : 'peer',
          rounds(1_000 + 130 * at, 0.1, 5),
        ),
      ),
    ),
    group('From microseconds to seconds, and a zero', 'ms', 'less', [
      measure('Tether', 'tether', rounds(0.013, 0.1, 5)),
      measure('peer', 'peer', rounds(2_400, 0.1, 5)),
      measure('nothing', 'limit', [0, 0, 0, 0, 0]),
    ]),
    group('No subject', 'ms', 'less', []),
    group('A_subject_without_a_space', 'requests/s', 'neither', [
      measure(
        'abcdefghijklmnopqrstuvwxyz_0123456789_abcdefghijklmnopqrstuvwxyz_0123456789',
        'tether',
        rounds(10, 0.1, 5),
      ),
    ]),
  ],
  ratios: [
    ratio('far over its bar', rounds(5_000, 0.1), { atLeast: 2 }, 'met'),
    ratio('nothing lost', [0, 0, 0], { atMost: 0 }, 'met'),
    ratio('some lost', [1, 2, 3], { atMost: 0 }, 'missed'),
    ratio('zero, at most 1', [0, 0, 0], { atMost: 1 }, 'met'),
    {
      title: 'no number',
      rounds: [Number.NaN],
      interval: { median: Number.NaN, low: Number.NaN, high: Number.NaN },
      verdict: 'none',
    },
  ],
  curves: [
    {
      title: 'Many lines that end together, with holes',
      x: { title: 's', scale: 'linear' },
      y: { title: 'ms', scale: 'log' },
      series: Array.from(
        { length: 12 },
        (_, at): Series => ({
          name: `peer number ${at + 1}`,
          role: at === 0 ? 'tether' : 'peer',
          points: [
            [0, 1 + at],
            [1, 0],
            [2, 3 + at / 10],
            [3, Number.NaN],
            [4, 4 + at / 10],
            [5, 4.1 + at / 50],
          ],
        }),
      ),
    },
    {
      title: 'One point',
      x: { title: 's', scale: 'log' },
      y: { title: 'ms', scale: 'linear' },
      series: [{ name: 'Tether', role: 'tether', points: [[3, 7]] }],
    },
    {
      title: 'Ticks of which none can be seen',
      x: { title: 's', scale: 'linear', ticks: [{ at: 100, label: 'far away' }] },
      y: { title: 'ms', scale: 'linear' },
      series: [
        {
          name: 'Tether',
          role: 'tether',
          points: [
            [1, 1],
            [2, 2],
          ],
        },
      ],
    },
    {
      title: 'No point',
      x: { title: 's', scale: 'log' },
      y: { title: 'ms', scale: 'log' },
      series: [{ name: 'Tether', role: 'tether', points: [] }],
    },
  ],
  warnings: [],
  seconds: 1,
};
