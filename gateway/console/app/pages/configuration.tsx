/** The configuration as the node sees it, and the level of its log, which changes while it runs. */
import { useState } from 'react';
import { change } from '../api.js';
import { useAction, useLoad } from '../load.js';
import { Badge, ChangeButton, Field, LoadState, Panel, Table } from '../ui.js';
import type { ConfigRow } from '../wire.js';

export function ConfigurationPage() {
  const { value, error, isLoading } = useLoad<{ keys: readonly ConfigRow[] }>('/api/config');
  const [text, setText] = useState('');
  const [onlySet, setOnlySet] = useState(false);
  const shown = value?.keys.filter(
    ({ key, source }) =>
      key.toLowerCase().includes(text.trim().toLowerCase()) && (!onlySet || source !== 'default'),
  );
  return (
    <div className="stack">
      <LogLevel />
      <Panel title="Settings" note="read once, when the node started">
        <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
        <div className="form">
          <Field label="Key contains">
            {({ id }) => (
              <input
                id={id}
                type="search"
                data-search=""
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
          <label className="check">
            <input type="checkbox" checked={onlySet} onChange={() => setOnlySet(!onlySet)} /> Only what was
            set
          </label>
        </div>
        {shown !== undefined && (
          <Table
            caption="Settings of this node"
            empty="No key is like that."
            columns={[{ title: 'Key' }, { title: 'Value' }, { title: 'Default' }, { title: 'Source' }]}
            rows={shown.map((row) => ({
              key: row.key,
              cells: [
                <span key="k" className="mono">
                  {row.key}
                </span>,
                <span key="v" className="mono">
                  {row.value === '' ? '(empty)' : row.value}
                  {row.secret && <span className="note"> secret</span>}
                </span>,
                <span key="d" className="mono">
                  {row.default ?? '–'}
                </span>,
                row.source === 'default' ? (
                  <span key="s" className="note">
                    default
                  </span>
                ) : (
                  <Badge key="s" tone="quiet">
                    {row.source}
                  </Badge>
                ),
              ],
            }))}
          />
        )}
      </Panel>
    </div>
  );
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

function LogLevel() {
  const { value, error, isLoading, again } = useLoad<{ level: string }>('/api/log-level', {}, 10_000);
  const [chosen, setChosen] = useState<string>();
  const action = useAction();
  const level = chosen ?? value?.level ?? '';
  const set = () =>
    action.run(
      () => change('PUT', '/api/log-level', { level }),
      `The log says ${level} and above now.`,
      () => {
        setChosen(undefined);
        again();
      },
    );
  return (
    <Panel title="Log" note="until the node starts again">
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value !== undefined && (
        <div className="form">
          <Field label="Level">
            {({ id }) => (
              <select id={id} value={level} onChange={(event) => setChosen(event.target.value)}>
                {[...new Set([...LEVELS, value.level])].map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </select>
            )}
          </Field>
          <div className="form-foot">
            <ChangeButton kind="main" isBusy={action.isBusy} disabled={level === value.level} onClick={set}>
              Set the level
            </ChangeButton>
          </div>
        </div>
      )}
    </Panel>
  );
}
