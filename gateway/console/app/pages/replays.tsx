/** Replays of events: how far each is; pause, resume or cancel it. One is made on the page of events. */
import { Fragment, useState } from 'react';
import { change } from '../api.js';
import { FilterForm, Pager, queryOf, type Values } from '../filters.js';
import { count, duration, percent } from '../format.js';
import { useAction, useLoad } from '../load.js';
import { Badge, ChangeButton, Confirm, LoadState, Panel, Table, type Tone, When } from '../ui.js';
import type { Page, ReplayRow } from '../wire.js';

const FIELDS = [
  {
    name: 'state',
    label: 'State',
    choices: ['waiting', 'running', 'paused', 'done', 'cancelled', 'failed'],
  },
] as const;

const TONES: Readonly<Record<string, Tone>> = {
  running: 'good',
  done: 'good',
  paused: 'warn',
  failed: 'bad',
};

export function ReplaysPage() {
  const [values, setValues] = useState<Values>({});
  const [cursor, setCursor] = useState('');
  const { value, error, isLoading, again } = useLoad<Page & { replays: readonly ReplayRow[] }>(
    '/api/replays',
    { ...queryOf(values), cursor },
    1_000,
  );
  const search = (next: Values) => {
    setValues(next);
    setCursor('');
  };
  return (
    <div className="stack">
      <Panel title="Filter">
        <FilterForm label="Filter replays" fields={FIELDS} start={values} onSearch={search} />
      </Panel>
      <Panel title="Replays" note="the latest first; one is made on the page of events">
        <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
        {value !== undefined && (
          <Table
            caption="Replays"
            empty="No replay is like that."
            columns={[
              { title: 'Events' },
              { title: 'State' },
              { title: 'Progress' },
              { title: 'Told', numeric: true },
              { title: 'Left out' },
              { title: 'Left', numeric: true },
              { title: 'By' },
              { title: 'Made' },
              { title: 'Change' },
            ]}
            rows={value.replays.map((replay) => ({
              key: replay.id,
              cells: [
                <span key="e" title={replay.id}>
                  {selected(replay)} <span className="note">to {replay.to ?? 'their routes'}</span>
                </span>,
                <span key="s">
                  <Badge tone={TONES[replay.state] ?? 'quiet'}>{replay.state}</Badge>
                  {replay.forced && <span className="note"> forced</span>}
                  {replay.reason !== null && <span className="note"> {replay.reason}</span>}
                </span>,
                <Progress key="p" replay={replay} />,
                count(replay.told),
                leftOut(replay),
                replay.secondsLeft === null ? '–' : duration(replay.secondsLeft * 1_000),
                replay.createdBy,
                <When key="w" at={replay.createdAt} />,
                <Commands key="c" replay={replay} onDone={again} />,
              ],
            }))}
          />
        )}
        <Pager next={value?.next} isFirst={cursor === ''} onGo={setCursor} />
      </Panel>
    </div>
  );
}

const WORDS = {
  pause: ['Pause', 'Nothing more is told until it is resumed.'],
  resume: ['Resume', 'It goes on where it was paused.'],
  cancel: ['Cancel', 'It ends within a second. What was told stays told, and it cannot be resumed.'],
} as const;
type Verb = keyof typeof WORDS;

function Commands({ replay, onDone }: { replay: ReplayRow; onDone: () => void }) {
  const [verb, setVerb] = useState<Verb>();
  const action = useAction();
  const { id, state } = replay;
  const verbs: readonly Verb[] =
    state === 'paused'
      ? ['resume', 'cancel']
      : state === 'running' || state === 'waiting'
        ? ['pause', 'cancel']
        : [];
  const run = (command: Verb) =>
    action.run(
      () => change<ReplayRow>('POST', `/api/replays/${encodeURIComponent(id)}/${command}`),
      (after) => `The replay is ${after.state}.`,
      () => {
        setVerb(undefined);
        onDone();
      },
    );
  return (
    <span className="nowrap">
      {verbs.map((each) => (
        <Fragment key={each}>
          <ChangeButton kind={each === 'cancel' ? 'danger' : 'plain'} onClick={() => setVerb(each)}>
            {WORDS[each][0]}
          </ChangeButton>{' '}
        </Fragment>
      ))}
      {verb !== undefined && (
        <Confirm
          title={`${WORDS[verb][0]} the replay?`}
          action={`Yes, ${verb}`}
          kind={verb === 'cancel' ? 'danger' : 'main'}
          isBusy={action.isBusy}
          onConfirm={() => run(verb)}
          onClose={() => setVerb(undefined)}
        >
          <p>{WORDS[verb][1]}</p>
        </Confirm>
      )}
    </span>
  );
}

function Progress({ replay: { seen, total, perSecond, state } }: { replay: ReplayRow }) {
  if (total === null || total === 0) return <span className="nowrap">{count(seen)}</span>;
  const share = Math.min(1, seen / total);
  return (
    <span className="progress">
      <progress max={total} value={Math.min(seen, total)} aria-label={`Replayed: ${percent(share)}`} />{' '}
      <span className="nowrap">
        {percent(share)} of {count(total)}
        {state === 'running' && perSecond !== null && `, ${count(perSecond)}/s`}
      </span>
    </span>
  );
}

function selected({ select }: ReplayRow): string {
  if ('ids' in select) return `${count(select.ids.length)} by id`;
  const { to, from, ...equal } = select.filter;
  const time = (ms: unknown) => new Date(Number(ms)).toISOString().slice(0, 16);
  return [
    ...Object.entries(equal).map(([name, value]) => `${name} ${String(value)}`),
    ...(from === undefined ? [] : [`from ${time(from)}`]),
    ...(to === undefined ? [] : [`before ${time(to)}`]),
  ].join(', ');
}

function leftOut({ leftOut: reasons }: ReplayRow): string {
  const all = Object.entries(reasons).map(([why, events]) => `${count(events)} ${why}`);
  return all.length === 0 ? '–' : all.join(', ');
}
