/** Who reads each partition, and how far behind it is: as a grid to see the uneven ones, and as a table. */
import { count, short } from '../format.js';
import { useLoad } from '../load.js';
import { LoadState, Panel, Table } from '../ui.js';
import type { PartitionRow } from '../wire.js';

/** The worst ones; all are below them. */
const SHOWN_MAX = 16;

export function PartitionsPage() {
  const { value, error, isLoading } = useLoad<{ partitions: readonly PartitionRow[] }>(
    '/api/partitions',
    {},
    2_000,
  );
  const rows = value?.partitions ?? [];
  return (
    <div className={error === undefined ? 'stack' : 'stack stale'}>
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value !== undefined && rows.length === 0 && <p className="empty">This node reads no partition.</p>}
      {[...new Set(rows.map(({ actor }) => actor))].map((actor) => (
        <Partitions key={actor} actor={actor} rows={rows.filter((row) => row.actor === actor)} />
      ))}
    </div>
  );
}

function Partitions({ actor, rows }: { actor: string; rows: readonly PartitionRow[] }) {
  const worst = Math.max(0, ...rows.map(({ lag }) => lag));
  const orphans = rows.filter(({ owner }) => owner === null).length;
  const owners = new Set(rows.flatMap(({ owner }) => owner ?? []));
  const behind = [...rows]
    .filter(({ lag, owner }) => lag > 0 || owner === null)
    .sort((a, b) => b.lag - a.lag)
    .slice(0, SHOWN_MAX);
  return (
    <Panel
      title={actor}
      note={`${rows.length} partitions, ${owners.size === 1 ? 'one owner' : `${owners.size} owners`}${orphans === 0 ? '' : `, ${orphans} without an owner`}`}
    >
      <div className="grid" aria-hidden="true">
        {rows.map(({ partition, owner, lag }) => (
          <span
            key={partition}
            className={`heat h${lag === 0 ? 0 : Math.max(1, Math.round((lag / worst) * 10))}${owner === null ? ' none' : ''}`}
            title={`partition ${partition}: ${owner ?? 'no owner'}, lag ${count(lag)}`}
          >
            {owner === null ? '!' : partition}
          </span>
        ))}
      </div>
      <p className="note">
        {worst > 0 &&
          `Darker: further behind, up to ${worst === 1 ? 'one message' : `${count(worst)} messages`}. `}
        {orphans > 0 && 'An exclamation mark: nobody is known to read it.'}
      </p>
      <Rows caption={`Partitions of ${actor} that are behind, or that nobody reads`} rows={behind} />
      <details>
        <summary>All partitions</summary>
        <Rows caption={`Partitions of ${actor}`} rows={rows} />
      </details>
    </Panel>
  );
}

function Rows({ caption, rows }: { caption: string; rows: readonly PartitionRow[] }) {
  return (
    <Table
      caption={caption}
      empty="None is behind."
      columns={[
        { title: 'Partition' },
        { title: 'Owner' },
        { title: 'Thread', numeric: true },
        { title: 'Lag', numeric: true },
      ]}
      rows={rows.map(({ partition, owner, thread, lag }) => ({
        key: String(partition),
        cells: [String(partition), owner ?? <b key="o">nobody</b>, thread ?? '–', short(lag)],
      }))}
    />
  );
}
