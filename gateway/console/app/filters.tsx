/** A form that selects rows. What is typed counts when it is sent: nobody wants a search for each letter. */
import { type FormEvent, useState } from 'react';
import { Field } from './ui.js';

export type Values = Readonly<Record<string, string>>;

interface FilterField {
  readonly name: string;
  readonly label: string;
  /** With choices: a list; the empty one is any. */
  readonly choices?: readonly string[];
  readonly kind?: 'time';
  readonly hint?: string;
}

export function FilterForm(props: {
  label: string;
  fields: readonly FilterField[];
  start: Values;
  onSearch: (values: Values) => void;
}) {
  const [values, setValues] = useState(props.start);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onSearch(values);
  };
  const clear = () => {
    setValues({});
    props.onSearch({});
  };
  return (
    <search>
      <form className="form" onSubmit={submit} aria-label={props.label}>
        {props.fields.map(({ name, label, choices, kind, hint }, at) => (
          <Field key={name} label={label} {...(hint === undefined ? {} : { hint })}>
            {({ id, describedBy }) => {
              const common = {
                id,
                'aria-describedby': describedBy,
                value: values[name] ?? '',
                onChange: (event: { target: { value: string } }) =>
                  setValues({ ...values, [name]: event.target.value }),
              };
              if (choices !== undefined) {
                return (
                  <select {...common}>
                    <option value="">any</option>
                    {choices.map((each) => (
                      <option key={each}>{each}</option>
                    ))}
                  </select>
                );
              }
              if (kind === 'time') return <input {...common} type="datetime-local" step="1" />;
              return (
                <input
                  {...common}
                  type="search"
                  autoComplete="off"
                  spellCheck={false}
                  maxLength={512}
                  data-search={at === 0 ? '' : undefined}
                />
              );
            }}
          </Field>
        ))}
        <div className="form-foot">
          <button type="submit" className="main">
            Search
          </button>
          <button type="button" onClick={clear}>
            Clear
          </button>
        </div>
      </form>
    </search>
  );
}

/** As the API takes it: without what is empty, times in milliseconds. */
export function queryOf(values: Values): Readonly<Record<string, string | number>> {
  const given = Object.entries(values).filter(([, value]) => value.trim() !== '');
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      name === 'from' || name === 'to' ? new Date(value).getTime() : value.trim(),
    ]),
  );
}

/** Pages of a list: to the next one, and back to the first. */
export function Pager(props: {
  next: string | null | undefined;
  isFirst: boolean;
  onGo: (cursor: string) => void;
}) {
  const { next } = props;
  if (props.isFirst && (next === null || next === undefined)) return null;
  return (
    <div className="form-foot">
      {!props.isFirst && (
        <button type="button" onClick={() => props.onGo('')}>
          First page
        </button>
      )}
      {next !== null && next !== undefined && (
        <button type="button" onClick={() => props.onGo(next)}>
          Next page
        </button>
      )}
    </div>
  );
}
