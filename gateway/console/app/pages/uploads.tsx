/** Uploads of all clients, and how far each is. */
import { useState } from 'react';
import { FilterForm, Pager, queryOf, type Values } from '../filters.js';
import { bytes, count, duration, percent } from '../format.js';
import { useLoad } from '../load.js';
import { Badge, LoadState, Panel, Table, type Tone, When } from '../ui.js';
import type { Page, UploadRow } from '../wire.js';

const FIELDS = [
  { name: 'client', label: 'Client' },
  {
    name: 'state',
    label: 'State',
    choices: ['receiving', 'stored', 'processing', 'completed', 'failed', 'cancelling', 'cancelled'],
  },
  { name: 'from', label: 'Created from', kind: 'time' },
  { name: 'to', label: 'Created before', kind: 'time' },
] as const;

const TONES: Readonly<Record<string, Tone>> = { completed: 'good', failed: 'bad', cancelling: 'warn' };

const FINAL = ['completed', 'failed', 'cancelled'];

export function UploadsPage() {
  const [values, setValues] = useState<Values>({});
  const [cursor, setCursor] = useState('');
  const query = { ...queryOf(values), cursor };
  const { value, error, isLoading } = useLoad<Page & { uploads: readonly UploadRow[] }>(
    '/api/uploads',
    query,
    2_000,
  );
  const search = (next: Values) => {
    setValues(next);
    setCursor('');
  };
  return (
    <div className="stack">
      <Panel title="Filter">
        <FilterForm label="Filter uploads" fields={FIELDS} start={values} onSearch={search} />
      </Panel>
      <Panel title="Uploads" note="the latest first">
        <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
        {value !== undefined && (
          <Table
            caption="Uploads"
            empty="No upload is like that."
            columns={[
              { title: 'File' },
              { title: 'State' },
              { title: 'Progress' },
              { title: 'Rows', numeric: true },
              { title: 'Invalid', numeric: true },
              { title: 'Left', numeric: true },
              { title: 'Client' },
              { title: 'Created' },
            ]}
            rows={value.uploads.map((upload) => ({
              key: upload.id,
              cells: [
                <span key="f" title={upload.id}>
                  {upload.filename}
                </span>,
                <span key="s">
                  <Badge tone={TONES[upload.state] ?? 'quiet'}>{upload.state}</Badge>
                  {upload.failure !== null && <span className="note"> {upload.failure.detail}</span>}
                </span>,
                <Progress key="p" upload={upload} />,
                count(upload.counts.total),
                count(upload.counts.invalid),
                upload.secondsLeft === null ? '–' : duration(upload.secondsLeft * 1_000),
                upload.client,
                <When key="w" at={upload.createdAt} />,
              ],
            }))}
          />
        )}
        <Pager next={value?.next} isFirst={cursor === ''} onGo={setCursor} />
      </Panel>
    </div>
  );
}

/** Of the bytes that come while it is received, of those that are read afterwards. */
function Progress({ upload }: { upload: UploadRow }) {
  const { state } = upload;
  const [done, all] =
    state === 'receiving' ? [upload.bytes, upload.bytesExpected] : [upload.processedBytes, upload.bytes];
  if (FINAL.includes(state) || all === null || all === 0)
    return <span className="nowrap">{bytes(upload.bytes)}</span>;
  return (
    <span className="progress">
      <progress max={all} value={done} aria-label={`${upload.filename}: ${percent(done / all)}`} />{' '}
      <span className="nowrap">
        {percent(done / all)} of {bytes(all)}
      </span>
    </span>
  );
}
