/** The configuration as the node sees it, and the level of its log, which changes while it runs. */
import { useState } from 'react';
import { change } from '../api.js';
import { useAction, useLoad } from '../load.js';
import { Badge, ChangeButton, Field, LoadState, Panel, Table, When } from '../ui.js';
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
                    {row.file === undefined ? row.source : `file ${row.file}`}
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

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
/** What the node takes for a loud level when nothing is said. */
const LOUD = ['trace', 'debug'];

interface LogLevelState {
  readonly level: string;
  readonly configured: string;
  readonly until: number | null;
}

function LogLevel() {
  const { value, error, isLoading, again } = useLoad<LogLevelState>('/api/log-level', {}, 10_000);
  const [chosen, setChosen] = useState<string>();
  const [minutes, setMinutes] = useState('60');
  const action = useAction();
  const level = chosen ?? value?.level ?? '';
  const set = () =>
    action.run(
      () =>
        change('PUT', '/api/log-level', minutes === '' ? { level } : { level, forMinutes: Number(minutes) }),
      `The log says ${level} and above now.`,
      () => {
        setChosen(undefined);
        again();
      },
    );
  return (
    <Panel title="Log" note={value === undefined ? undefined : <Until state={value} />}>
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
          <Field label="For">
            {({ id }) => (
              <select id={id} value={minutes} onChange={(event) => setMinutes(event.target.value)}>
                <option value="15">15 minutes</option>
                <option value="60">one hour</option>
                <option value="240">four hours</option>
                {!LOUD.includes(level) && <option value="">until the node starts again</option>}
              </select>
            )}
          </Field>
          <div className="form-foot">
            <ChangeButton kind="main" isBusy={action.isBusy} disabled={!LEVELS.includes(level)} onClick={set}>
              Set the level
            </ChangeButton>
          </div>
        </div>
      )}
    </Panel>
  );
}

function Until({ state: { level, configured, until } }: { state: LogLevelState }) {
  if (level === configured) return <>{level}, as configured</>;
  if (until === null) return <>{`${level} until the node starts again, then ${configured}`}</>;
  return (
    <>
      {level}, back to {configured} <When at={until} />
    </>
  );
}
