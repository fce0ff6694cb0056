/** Which keys are hot, and whose mailboxes are deep: one busy key is handled by one thread, whatever the pool's size. */
import { count } from '../format.js';
import { useLoad } from '../load.js';
import { linkTo } from '../router.js';
import { LoadState, Panel, Table } from '../ui.js';
import type { ActorRow } from '../wire.js';

export function ActorsPage() {
  const { value, error, isLoading } = useLoad<{ types: readonly ActorRow[] }>('/api/actors', {}, 2_000);
  return (
    <div className={error === undefined ? 'stack' : 'stack stale'}>
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value?.types.length === 0 && <p className="empty">No actor runs on this node.</p>}
      {value?.types.map(({ actor, live, hottest, deepest }) => (
        <Panel key={actor} title={actor} note={`${count(live)} alive`}>
          <div className="two">
            <Keys
              caption={`Hottest keys of ${actor}`}
              title="Hottest keys"
              figure="Messages/s"
              rows={hottest.map(({ key, perSecond }) => [key, perSecond] as const)}
            />
            <Keys
              caption={`Deepest mailboxes of ${actor}`}
              title="Deepest mailboxes"
              figure="Waiting"
              rows={deepest.map(({ key, depth }) => [key, depth] as const)}
            />
          </div>
        </Panel>
      ))}
    </div>
  );
}

function Keys(props: {
  caption: string;
  title: string;
  figure: string;
  rows: readonly (readonly [string, number])[];
}) {
  const most = Math.max(1, ...props.rows.map(([, value]) => value));
  return (
    <div>
      <h3>{props.title}</h3>
      <Table
        caption={props.caption}
        empty="None now."
        columns={[{ title: 'Key' }, { title: props.figure, numeric: true }, { title: 'Share' }]}
        rows={props.rows.map(([key, value]) => ({
          key,
          cells: [
            <a key="k" className="mono" href={linkTo('events', key)} title="Its events">
              {key}
            </a>,
            count(value),
            <meter
              key="m"
              min={0}
              max={most}
              value={value}
              aria-label={`${count(value)} of ${count(most)}`}
            />,
          ],
        }))}
      />
    </div>
  );
}
