/** What stands in the place of the lower tables when a key asks for it: the settings of a pool, and the keys. */
import { Text } from 'ink';
import type { ReactElement } from 'react';
import type { PoolSettings, PoolStatus } from '../../gateway/api/status-schema.js';
import { countText, msText } from './format.js';
import type { Theme } from './theme.js';

interface PanelProps {
  readonly theme: Theme;
  /** At most; the rest is cut. */
  readonly lines: number;
}

const SETTINGS: readonly (readonly [keyof PoolSettings, string])[] = [
  ['min', 'threads at least'],
  ['max', 'threads at most'],
  ['batchMax', 'messages of one batch'],
  ['lingerMs', 'ms to wait for a fuller batch'],
  ['inFlightMax', 'messages a thread has at a time'],
];

function Details({
  pool,
  theme,
  lines,
}: PanelProps & { readonly pool: PoolStatus | undefined }): ReactElement {
  if (pool === undefined) return <Text>no pool is selected</Text>;
  const { current, file } = pool.settings;
  const settings = SETTINGS.map(([key, meaning]) => {
    const mark = current[key] === file[key] ? ' ' : '*';
    return `${key.padEnd(12)}${`${current[key]}`.padStart(8)}${`${file[key]}`.padStart(8)} ${mark} ${meaning}`;
  });
  const figures = [
    `done ${countText(pool.done)}  alive ${countText(pool.live)}  behind ms ${msText(pool.behindMs)}  mailbox ${countText(pool.mailboxMax)}  threads lost ${pool.threadsLost}`,
    `turn ms p50 ${msText(pool.turnMs?.p50)} p99 ${msText(pool.turnMs?.p99)}  queue p50 ${msText(pool.queueMs?.p50)} p99 ${msText(pool.queueMs?.p99)}  age p50 ${msText(pool.ageMs?.p50)} p99 ${msText(pool.ageMs?.p99)}`,
    ...(pool.outage === null ? [] : [`waits for an outage to end: ${pool.outage}`]),
    ...(pool.settings.differs ? [`* differs: tether pools reset ${pool.actor} goes back to the file`] : []),
  ];
  const head = `${`${pool.actor}`.padEnd(12)}${'NOW'.padStart(8)}${'FILE'.padStart(8)}`;
  return <Lines head={head} texts={[...settings, ...figures]} theme={theme} lines={lines} />;
}

const HELP: readonly string[] = [
  'j k, arrows   select a pool            s   sort: name, lag, busy, done',
  'enter         its settings             esc back',
  '+ -           one thread more or less at most, on every node',
  'p             pause or resume, asks    d   drain on this node, asks',
  'q, ctrl-c     quit                     ctrl-z  to the shell',
  'BUSY share of the last second that its threads worked; 100%: no room',
  'LAG acknowledged and not done; BEHIND how long one that comes now waits',
  'QUEUE, TURN, AGE: p95 of 10 s; these and BEHIND in ms, if no unit stands',
  '> selected  ! something is the matter  * differs from the file',
];

function Help({ theme, lines }: PanelProps): ReactElement {
  return <Lines head="KEYS" texts={HELP} theme={theme} lines={lines} />;
}

function Lines({
  head,
  texts,
  theme,
  lines,
}: PanelProps & { readonly head: string; readonly texts: readonly string[] }): ReactElement {
  return (
    <>
      <Text {...theme.head} wrap="truncate">
        {head}
      </Text>
      {texts.slice(0, Math.max(0, lines - 1)).map((text) => (
        <Text key={text} wrap="truncate">
          {text}
        </Text>
      ))}
    </>
  );
}

export { Details, Help };
