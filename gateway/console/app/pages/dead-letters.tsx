/** Messages that could not be handled: find them, read why, then replay or drop one, many, or all that a filter selects. */
import { useState } from 'react';
import { BulkDialog, type Planned } from '../dead-letter-bulk.js';
import { DeadLetterPanel } from '../dead-letter-detail.js';
import { FilterForm, Pager, queryOf, type Values } from '../filters.js';
import { count } from '../format.js';
import { useLoad, useMayChange } from '../load.js';
import { go } from '../router.js';
import { Badge, ChangeButton, LoadState, Panel, Table, When } from '../ui.js';
import type { DeadLetterRow, Page } from '../wire.js';

const FIELDS = [
  { name: 'key', label: 'Key' },
  { name: 'code', label: 'Code of the cause' },
  { name: 'actor', label: 'Actor' },
  { name: 'endpoint', label: 'Endpoint' },
  { name: 'state', label: 'State', choices: ['waiting', 'replayed', 'dropped'] },
  { name: 'from', label: 'Died from', kind: 'time' },
  { name: 'to', label: 'Died before', kind: 'time' },
] as const;

const WAITING: Values = { state: 'waiting' };
const TONES = { waiting: 'warn', replayed: 'good', dropped: 'quiet' } as const;

/** `detail`: the id of one to look at. */
export function DeadLettersPage({ detail }: { detail: string }) {
  const [values, setValues] = useState<Values>(WAITING);
  const [cursor, setCursor] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [plan, setPlan] = useState<Planned>();
  const query = queryOf(values);
  const list = useLoad<Page & { deadLetters: readonly DeadLetterRow[]; waiting: number }>(
    '/api/dead-letters',
    {
      ...query,
      cursor,
    },
  );
  const letters = list.value?.deadLetters ?? [];
  const waiting = letters.filter(({ state }) => state === 'waiting').map(({ envelope }) => envelope.id);
  const search = (next: Values) => {
    setValues(next);
    setCursor('');
    setSelected(new Set());
  };
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  const finished = () => {
    setPlan(undefined);
    setSelected(new Set());
    list.again();
  };
  // A replay or a drop is of those that wait, whatever the list shows.
  const { state, ...filter } = query;

  return (
    <div className="stack">
      <Panel title="Filter">
        <FilterForm label="Filter dead letters" fields={FIELDS} start={values} onSearch={search} />
      </Panel>
      {detail !== '' && (
        <DeadLetterPanel key={detail} id={detail} onPlan={setPlan} onClose={() => go('dead-letters')} />
      )}
      <Panel
        title="Dead letters"
        note={list.value === undefined ? undefined : `${count(list.value.waiting)} wait in all`}
        actions={
          <Buttons
            selected={selected}
            hasWaiting={waiting.length > 0 && (state === undefined || state === 'waiting')}
            onPlan={setPlan}
            filter={filter}
          />
        }
      >
        <LoadState error={list.error} isLoading={list.isLoading} hasValue={list.value !== undefined} />
        {list.value !== undefined && (
          <Letters
            letters={letters}
            detail={detail}
            selected={selected}
            onToggle={toggle}
            onAll={() => setSelected(selected.size === waiting.length ? new Set() : new Set(waiting))}
          />
        )}
        <Pager next={list.value?.next} isFirst={cursor === ''} onGo={setCursor} />
      </Panel>
      {plan !== undefined && <BulkDialog plan={plan} onDone={finished} onClose={() => setPlan(undefined)} />}
    </div>
  );
}

function Buttons(props: {
  selected: ReadonlySet<string>;
  hasWaiting: boolean;
  filter: NonNullable<Planned['filter']>;
  onPlan: (plan: Planned) => void;
}) {
  const { selected, hasWaiting, filter, onPlan } = props;
  const ids = [...selected];
  return (
    <>
      <ChangeButton disabled={ids.length === 0} onClick={() => onPlan({ verb: 'replay', ids })}>
        Replay {ids.length} selected
      </ChangeButton>
      <ChangeButton kind="danger" disabled={ids.length === 0} onClick={() => onPlan({ verb: 'drop', ids })}>
        Drop {ids.length} selected
      </ChangeButton>
      <ChangeButton disabled={!hasWaiting} onClick={() => onPlan({ verb: 'replay', filter })}>
        Replay all of the filter
      </ChangeButton>
      <ChangeButton kind="danger" disabled={!hasWaiting} onClick={() => onPlan({ verb: 'drop', filter })}>
        Drop all of the filter
      </ChangeButton>
    </>
  );
}

function Letters(props: {
  letters: readonly DeadLetterRow[];
  detail: string;
  selected: ReadonlySet<string>;
  onToggle: (id: string) => void;
  onAll: () => void;
}) {
  const mayChange = useMayChange();
  return (
    <>
      {mayChange && props.letters.some(({ state }) => state === 'waiting') && (
        <button type="button" className="link all" onClick={props.onAll}>
          Select all of this page, or none
        </button>
      )}
      <Table
        caption="Dead letters"
        empty="No dead letter is like that."
        headerCell={1}
        columns={[
          { title: 'Select', hidden: true },
          { title: 'Key' },
          { title: 'Cause' },
          { title: 'Actor' },
          { title: 'State' },
          { title: 'Tries', numeric: true },
          { title: 'Died' },
        ]}
        rows={props.letters.map(({ envelope, cause, attempts, deadAt, state }) => ({
          key: envelope.id,
          isSelected: props.selected.has(envelope.id) || props.detail === envelope.id,
          cells: [
            <input
              key="c"
              type="checkbox"
              aria-label={`Select ${envelope.key}`}
              disabled={!mayChange || state !== 'waiting'}
              checked={props.selected.has(envelope.id)}
              onChange={() => props.onToggle(envelope.id)}
            />,
            <button
              key="k"
              type="button"
              className="link mono"
              onClick={() => go('dead-letters', envelope.id)}
            >
              {envelope.key === '' ? envelope.id : envelope.key}
            </button>,
            <span key="w">
              <code>{cause.code}</code>
            </span>,
            envelope.actor,
            <Badge key="s" tone={TONES[state]}>
              {state}
            </Badge>,
            count(attempts),
            <When key="d" at={deadAt} />,
          ],
        }))}
      />
    </>
  );
}
