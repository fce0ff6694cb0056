/** Finds the one webhook that somebody asks about: what it said, what became of it, and what else came for its payment. */
import { useState } from 'react';
import { EventPanel } from '../event-detail.js';
import { FilterForm, Pager, queryOf, type Values } from '../filters.js';
import { bytes, duration } from '../format.js';
import { useLoad } from '../load.js';
import { ReplayDialog } from '../replay-form.js';
import { ChangeButton, LoadState, Panel, Table, When } from '../ui.js';
import type { EventRow, Page, ReplaySelect } from '../wire.js';

const FIELDS = [
  { name: 'key', label: 'Key', hint: 'the payment, as unique_id or endpoint:unique_id' },
  { name: 'id', label: 'Message id' },
  { name: 'endpoint', label: 'Endpoint' },
  { name: 'kind', label: 'Kind' },
  {
    name: 'status',
    label: 'Status',
    choices: ['applied', 'stale', 'recorded', 'routed', 'unrouted', 'delayed'],
  },
  { name: 'from', label: 'Accepted from', kind: 'time' },
  { name: 'to', label: 'Accepted before', kind: 'time' },
] as const;

/** `detail`: a key to look for, from another page. */
export function EventsPage({ detail }: { detail: string }) {
  const [values, setValues] = useState<Values>(detail === '' ? {} : { key: detail });
  const [cursor, setCursor] = useState('');
  const [chosen, setChosen] = useState('');
  const [replayed, setReplayed] = useState<ReplaySelect>();
  const { id, ...filter } = queryOf(values);
  const { value, error, isLoading } = useLoad<Page & { events: readonly EventRow[] }>('/api/events', {
    ...queryOf(values),
    cursor,
  });
  const search = (next: Values) => {
    setValues(next);
    setCursor('');
    setChosen('');
  };
  return (
    <div className="stack">
      <Panel title="Search">
        <FilterForm label="Search events" fields={FIELDS} start={values} onSearch={search} />
      </Panel>
      {chosen !== '' && (
        <EventPanel
          key={chosen}
          id={chosen}
          onChoose={setChosen}
          onReplay={() => setReplayed({ ids: [chosen] })}
          onClose={() => setChosen('')}
        />
      )}
      <Panel
        title="Events"
        note="the newest first; what waits on the log has none yet"
        actions={
          <ChangeButton
            disabled={value === undefined || value.events.length === 0}
            onClick={() => setReplayed(id === undefined ? { filter } : { ids: [String(id)] })}
          >
            Replay all of the search
          </ChangeButton>
        }
      >
        <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
        {value !== undefined && (
          <Table
            caption="Events"
            empty={
              value.next === null
                ? 'No event is like that.'
                : 'None so far; the search goes on at the next page.'
            }
            columns={[
              { title: 'Key' },
              { title: 'Kind' },
              { title: 'Status' },
              { title: 'Reported' },
              { title: 'Accepted' },
              { title: 'Took', numeric: true },
              { title: 'Size', numeric: true },
            ]}
            rows={value.events.map((event) => ({
              key: event.id,
              isSelected: event.id === chosen,
              cells: [
                <button key="k" type="button" className="link mono" onClick={() => setChosen(event.id)}>
                  {event.endpoint}:{event.key}
                </button>,
                event.kind,
                event.status,
                event.reportedStatus ?? '–',
                <When key="w" at={event.receivedAt} />,
                duration(Math.max(0, event.processedAt - event.receivedAt)),
                bytes(event.bytes),
              ],
            }))}
          />
        )}
        <Pager next={value?.next} isFirst={cursor === ''} onGo={setCursor} />
      </Panel>
      {replayed !== undefined && <ReplayDialog select={replayed} onClose={() => setReplayed(undefined)} />}
    </div>
  );
}
