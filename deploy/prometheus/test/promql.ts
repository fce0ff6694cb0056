/**
 * What a PromQL expression asks for: the series that it names, each with the labels that it selects by.
 *
 * No parser: promtool is that, for all that must be PromQL. This finds names in what promtool has taken, so that they can be compared with
 * those that a node has.
 */

export interface Asked {
  readonly name: string;
  /** Of its matchers, not of what an aggregation keeps. */
  readonly labels: readonly string[];
}

const STRINGS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
/** `[5m]`, `[1h:1m]`, `[$__rate_interval]` */
const RANGES = /\[[^\]]*\]/g;
/** `by (job, le)`: names of labels stand there, not of series. */
const LABEL_LISTS = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const SELECTOR = /(?<![\w:.$])([A-Za-z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g;
const KEYWORDS: readonly string[] = [
  ...['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan', 'by', 'without', 'on', 'ignoring'],
  ...['group_left', 'group_right'],
];

export function seriesOf(expression: string): readonly Asked[] {
  const bare = expression
    .replace(/#.*$/gm, '')
    .replace(STRINGS, '""')
    .replace(RANGES, '')
    .replace(LABEL_LISTS, ' ');
  return [...bare.matchAll(SELECTOR)]
    .filter(([, name = '', follows]) => follows !== '(' && !KEYWORDS.includes(name.toLowerCase()))
    .map(([, name = '', , matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }));
}
