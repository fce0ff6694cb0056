/**
 * The whole screen of `tether top`, a pure function of what is known, of the theme and of the size. `layout.ts` says how many lines each part
 * gets, and no line is longer than the screen is wide.
 */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import type { Finding } from '../../gateway/api/status-schema.js';
import { printable } from '../commands/table.js';
import { clockText, countText, durationText, msText, sparkText } from './format.js';
import { layoutOf } from './layout.js';
import { Details, Help } from './panels.js';
import { ageOf, selectedPool, type TopState } from './state.js';
import { Cluster, Dependencies, Pools, Threads } from './tables.js';
import type { Theme } from './theme.js';

interface ViewProps {
  readonly state: TopState;
  readonly theme: Theme;
  readonly columns: number;
  readonly rows: number;
}

function View({ state, theme, columns, rows }: ViewProps): ReactElement {
  const { status, panel } = state;
  const pool = selectedPool(state);
  const lines = layoutOf({
    rows,
    pools: status.pools.length,
    threads: pool?.threads.length ?? 0,
    dependencies: status.dependencies.length,
    hasCluster: status.cluster !== null,
  });
  const shared = { state, theme, width: columns };
  const middle = () => {
    if (panel.mode === 'help') return <Help theme={theme} lines={lines.panel} />;
    if (panel.mode === 'details') return <Details pool={pool} theme={theme} lines={lines.panel} />;
    return (
      <>
        {lines.threads > 0 && <Threads {...shared} lines={lines.threads} />}
        {lines.dependencies > 0 && <Dependencies {...shared} lines={lines.dependencies} />}
        {lines.cluster > 0 && <Cluster {...shared} />}
      </>
    );
  };
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Header {...shared} />
      <Findings {...shared} />
      <Meters {...shared} />
      {lines.sparks > 0 && <Sparks {...shared} />}
      {lines.pools > 0 && <Pools {...shared} lines={lines.pools} />}
      {middle()}
      <Box flexGrow={1} />
      <StatusLine {...shared} />
      <Keys {...shared} />
    </Box>
  );
}

interface PartProps {
  readonly state: TopState;
  readonly theme: Theme;
  readonly width: number;
}

function Header({ state: { status, url, connection }, theme }: PartProps): ReactElement {
  const { node, at } = status;
  const mode = connection.mode === 'lost' ? 'connection lost' : node.mode;
  const style = mode === 'serving' ? theme.good : theme.critical;
  return (
    <>
      <Text wrap="truncate">
        <Text {...theme.head}>tether {printable(node.version)}</Text>
        {`  ${printable(node.name)}  role ${node.role}  `}
        <Text {...style}>{mode}</Text>
        {`  up ${durationText(at - node.startedAt)}`}
      </Text>
      <Text wrap="truncate">{`${printable(url)}  ${printable(node.promise)}`}</Text>
    </>
  );
}

/** The worst one, and how many more there are. */
function Findings({ state: { status }, theme }: PartProps): ReactElement {
  const [first] = status.findings;
  if (first === undefined) {
    return (
      <>
        <Text {...theme.good} wrap="truncate">
          OK nothing is the matter
        </Text>
        <Text> </Text>
      </>
    );
  }
  const more = status.findings.length - 1;
  return (
    <>
      <Text {...styleOf(first, theme)} wrap="truncate">
        {`${first.severity.toUpperCase()} ${printable(first.title)}: ${printable(first.detail)}`}
      </Text>
      <Text wrap="truncate">{`${more > 0 ? `(+${more} more) ` : ''}-> ${printable(first.advice)}`}</Text>
    </>
  );
}

function styleOf({ severity }: Finding, theme: Theme) {
  if (severity === 'critical') return theme.critical;
  return severity === 'warning' ? theme.warning : theme.label;
}

function Meters({ state: { status }, theme }: PartProps): ReactElement {
  const { rates, totals, log } = status;
  const { acknowledgeMs } = rates;
  const line = (figures: readonly (readonly [string, string])[]) => (
    <Text wrap="truncate">
      {figures.map(([name, value]) => (
        <Text key={name}>
          <Text {...theme.label}>{name}</Text>
          {` ${value.padEnd(7)}`}
        </Text>
      ))}
    </Text>
  );
  return (
    <>
      {line([
        ['ack/s', countText(rates.acknowledged)],
        ['done/s', countText(rates.done)],
        ['refused/s', countText(rates.refused)],
        [
          'dead letters',
          totals.deadLettersWaiting === null ? 'unknown' : countText(totals.deadLettersWaiting),
        ],
        ['log', printable(log.state)],
      ])}
      {line([
        ['ack ms p50', msText(acknowledgeMs?.p50)],
        ['p95', msText(acknowledgeMs?.p95)],
        ['p99', msText(acknowledgeMs?.p99)],
        ['lag', countText(log.lag)],
        ['age p95', msText(ageOf(status))],
        ['commit', msText(log.commitMs?.p95)],
      ])}
    </>
  );
}

const SPARK_LABEL = 16;

/** The last minute, each against its own largest value, which stands before it. */
function Sparks({ state: { recent }, theme, width }: PartProps): ReactElement {
  const line = (name: string, values: readonly number[]) => {
    const top = countText(Math.max(0, ...values.slice(-60)));
    return (
      <Text wrap="truncate">
        <Text {...theme.label}>{`${name.padEnd(7)}max ${top}`.padEnd(SPARK_LABEL)}</Text>
        {sparkText(values, Math.max(0, Math.min(60, width - SPARK_LABEL)), theme.glyphs)}
      </Text>
    );
  };
  return (
    <>
      {line('ack/s', recent.acknowledged)}
      {line('done/s', recent.done)}
      {line('lag', recent.lag)}
    </>
  );
}

function StatusLine({ state, theme }: PartProps): ReactElement {
  const { panel, connection, message } = state;
  if (panel.mode === 'confirm') {
    return (
      <Text {...theme.warning} wrap="truncate">
        {`${QUESTIONS[panel.verb](panel.actor)} y: yes, any other key: no`}
      </Text>
    );
  }
  if (message !== null) {
    return (
      <Text {...(message.failed ? theme.critical : theme.good)} wrap="truncate">
        {`${message.failed ? 'FAILED ' : ''}${printable(message.text)}`}
      </Text>
    );
  }
  if (connection.mode === 'live') return <Text> </Text>;
  const { sinceMs, nowMs, reason } = connection;
  return (
    <Text {...theme.critical} wrap="truncate">
      {`connection lost since ${clockText(sinceMs)} (${durationText(nowMs - sinceMs)}), trying again: ${printable(reason)}`}
    </Text>
  );
}

const QUESTIONS = {
  pause: (actor: string) => `Pause ${actor} on every node?`,
  resume: (actor: string) => `Let ${actor} go on?`,
  drain: (actor: string) => `Drain ${actor} on this node: finish what is in flight, begin nothing?`,
} as const;

function Keys({ state, theme }: PartProps): ReactElement {
  const paused = ['paused', 'drained'].includes(selectedPool(state)?.mode ?? '');
  const keys = `q quit  ? help  j/k select  enter details  +/- threads  p ${paused ? 'resume' : 'pause'}  d drain  s sort`;
  return (
    <Text {...theme.label} wrap="truncate">
      {keys}
    </Text>
  );
}

export { View };
