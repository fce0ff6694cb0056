/** The settings of a pool: what holds, what the file says, and a form that changes them. */
import { type FormEvent, useState } from 'react';
import type { PoolSettings, PoolStatus } from '../../api/status-schema.js';
import { change } from './api.js';
import { useAction } from './load.js';
import { Badge, ChangeButton, Field, When } from './ui.js';
import type { PoolRow } from './wire.js';

const SETTINGS: readonly (readonly [keyof PoolSettings, string])[] = [
  ['min', 'Threads, at least'],
  ['max', 'Threads, at most'],
  ['batchMax', 'Messages of a batch'],
  ['lingerMs', 'Linger, ms'],
  ['inFlightMax', 'In flight, per thread'],
];

export function PoolForm(props: {
  actor: string;
  settings: PoolStatus['settings'];
  allowed: PoolRow['allowed'] | undefined;
  saved: PoolRow['saved'];
}) {
  const { actor, settings, allowed, saved } = props;
  const { current, file, differs } = settings;
  const [typed, setTyped] = useState<Partial<Record<keyof PoolSettings, string>>>({});
  const action = useAction();
  const path = `/api/pools/${encodeURIComponent(actor)}`;
  const errors = errorsOf(typed, current, allowed);
  const changed = Object.entries(typed).filter(
    ([name, text]) => Number(text) !== current[name as keyof PoolSettings],
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (Object.keys(errors).length > 0 || changed.length === 0) return;
    action.run(
      () => change('PUT', path, Object.fromEntries(changed.map(([name, text]) => [name, Number(text)]))),
      `The settings of ${actor} are changed.`,
      () => setTyped({}),
    );
  };
  const reset = () =>
    action.run(
      () => change('DELETE', `${path}/settings`),
      `${actor} has the settings of the file again.`,
      () => setTyped({}),
    );

  return (
    <form className="form settings" onSubmit={submit} aria-label={`Settings of ${actor}`} noValidate>
      {SETTINGS.map(([name, label]) => (
        <Field
          key={name}
          label={label}
          error={errors[name]}
          hint={current[name] === file[name] ? 'as in the file' : `differs: the file says ${file[name]}`}
        >
          {({ id, describedBy }) => (
            <input
              id={id}
              aria-describedby={describedBy}
              aria-invalid={errors[name] !== undefined}
              inputMode="numeric"
              autoComplete="off"
              value={typed[name] ?? String(current[name])}
              onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <div className="form-foot">
        <ChangeButton
          type="submit"
          kind="main"
          isBusy={action.isBusy}
          disabled={changed.length === 0 || Object.keys(errors).length > 0}
        >
          Change {actor}
        </ChangeButton>
        <ChangeButton isBusy={action.isBusy} disabled={!differs} onClick={reset}>
          Back to the file
        </ChangeButton>
        {differs && <Badge tone="warn">Differs from the file</Badge>}
        {saved !== null && (
          <span className="note">
            changed by {saved.changedBy}, <When at={saved.changedAt} />
          </span>
        )}
      </div>
    </form>
  );
}

function errorsOf(
  typed: Partial<Record<keyof PoolSettings, string>>,
  current: PoolSettings,
  allowed: PoolRow['allowed'] | undefined,
): Partial<Record<keyof PoolSettings, string>> {
  const errors: Partial<Record<keyof PoolSettings, string>> = {};
  for (const [name] of SETTINGS) {
    const text = typed[name];
    if (text === undefined) continue;
    const range = allowed?.[name];
    if (!/^\d{1,9}$/.test(text.trim())) errors[name] = 'a whole number';
    else if (range !== undefined && (Number(text) < range.min || Number(text) > range.max)) {
      errors[name] = `from ${range.min} to ${range.max}`;
    }
  }
  const [min, max] = [Number(typed.min ?? current.min), Number(typed.max ?? current.max)];
  if (errors.min === undefined && errors.max === undefined && min > max) errors.min = 'not over the most';
  return errors;
}
