/** Who changed what, the latest first. */
import { useState } from 'react';
import { FilterForm, Pager, queryOf, type Values } from '../filters.js';
import { useLoad } from '../load.js';
import { LoadState, Panel, Table, When } from '../ui.js';
import type { AuditRow } from '../wire.js';

const FIELDS = [
  { name: 'client', label: 'Client' },
  { name: 'action', label: 'Action', hint: 'such as pool.change' },
  { name: 'from', label: 'From', kind: 'time' },
  { name: 'to', label: 'Before', kind: 'time' },
] as const;

export function AuditPage() {
  const [values, setValues] = useState<Values>({});
  const [cursor, setCursor] = useState('');
  const query = { ...queryOf(values), cursor };
  const { value, error, isLoading } = useLoad<{ entries: readonly AuditRow[]; cursor: string | null }>(
    '/api/audit',
    query,
    5_000,
  );
  const search = (next: Values) => {
    setValues(next);
    setCursor('');
  };
  return (
    <div className="stack">
      <Panel title="Filter">
        <FilterForm label="Filter the audit log" fields={FIELDS} start={values} onSearch={search} />
      </Panel>
      <Panel title="Changes">
        <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
        {value !== undefined && (
          <Table
            caption="Changes"
            empty="Nobody changed anything."
            columns={[
              { title: 'When' },
              { title: 'Who' },
              { title: 'Action' },
              { title: 'Target' },
              { title: 'What changed' },
            ]}
            rows={value.entries.map(({ id, at, client, action, target, before, after }) => ({
              key: String(id),
              cells: [
                <When key="w" at={at} />,
                client,
                <code key="a">{action}</code>,
                target,
                <Difference key="d" before={before} after={after} />,
              ],
            }))}
          />
        )}
        <Pager next={value?.cursor} isFirst={cursor === ''} onGo={setCursor} />
      </Panel>
    </div>
  );
}

/** The parts that are not the same before and after. */
function Difference({ before, after }: { before: unknown; after: unknown }) {
  const [was, is] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  if (names.length === 0) return <span className="note">–</span>;
  return (
    <ul className="plain mono">
      {names.map((name) => (
        <li key={name}>
          {name}: {name in was && <>{JSON.stringify(was[name])} → </>}
          {name in is ? JSON.stringify(is[name]) : 'nothing'}
        </li>
      ))}
    </ul>
  );
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : { value };
}
