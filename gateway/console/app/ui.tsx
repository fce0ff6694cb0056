/** The pieces that all pages are made of. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { absolute, type Moment, milliseconds, relative } from './format.js';
import { useMayChange } from './load.js';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A shape stands beside each colour, for those who do not see it. */
const SHAPES: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '■', quiet: '○' };

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`badge ${tone}`}>
      <span aria-hidden="true">{SHAPES[tone]}</span> {children}
    </span>
  );
}

export function Panel(props: {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  /** It was asked for: the focus goes to it when it appears. */
  isDetail?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  const { isDetail = false } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isDetail) heading.current?.focus();
  }, [isDetail]);
  return (
    <section className={isDetail ? 'panel detail' : 'panel'} aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id} ref={heading} tabIndex={isDetail ? -1 : undefined}>
          {props.title}
        </h2>
        {props.note !== undefined && <span className="note">{props.note}</span>}
        {props.actions !== undefined && <span className="actions">{props.actions}</span>}
      </div>
      {props.children}
    </section>
  );
}

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
  /** The title is for screen readers only. */
  readonly hidden?: boolean;
}

/** Wide tables scroll in their own frame, which the keyboard reaches. The first cell of `rows` is a row's header. */
export function Table(props: {
  caption: string;
  columns: readonly Column[];
  rows: readonly { key: string; cells: readonly ReactNode[]; isSelected?: boolean }[];
  empty: ReactNode;
  headerCell?: number;
}) {
  const { columns, rows, headerCell = 0 } = props;
  if (rows.length === 0) return <p className="empty">{props.empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields.
    <div className="table-frame" role="group" tabIndex={0} aria-label={props.caption}>
      <table>
        <caption className="sr">{props.caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, numeric, hidden }) => (
              <th key={title} scope="col" className={numeric === true ? 'num' : ''}>
                {hidden === true ? <span className="sr">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, isSelected }) => (
            <tr key={key} className={isSelected === true ? 'selected' : ''}>
              {columns.map(({ title, numeric }, at) => {
                const className = numeric === true ? 'num' : '';
                return at === headerCell ? (
                  <th key={title} scope="row" className={className}>
                    {cells[at]}
                  </th>
                ) : (
                  <td key={title} className={className}>
                    {cells[at]}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A moment as how long ago it was; exactly, on hovering. */
export function When({ at }: { at: Moment | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span>–</span>;
  return (
    <time dateTime={new Date(milliseconds(at) || 0).toISOString()} title={absolute(at)}>
      {relative(at, now)}
    </time>
  );
}

export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A figure with its name, as a pair of a description list. */
export function Figure({ name, children, note }: { name: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>
        <span className="value">{children}</span>
        {note !== undefined && <span className="note">{note}</span>}
      </dd>
    </div>
  );
}

export function Field(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  children: (ids: { id: string; describedBy: string | undefined }) => ReactNode;
}) {
  const id = useId();
  const text = props.error ?? props.hint;
  return (
    <div className={props.error === undefined ? 'field' : 'field wrong'}>
      <label htmlFor={id}>{props.label}</label>
      {props.children({ id, describedBy: text === undefined ? undefined : `${id}-text` })}
      {text !== undefined && (
        <small id={`${id}-text`} className={props.error === undefined ? '' : 'error'}>
          {text}
        </small>
      )}
    </div>
  );
}

/** A button that changes something: off, with the reason, for a token that may only look. */
export function ChangeButton(props: {
  children: ReactNode;
  onClick?: () => void;
  isBusy?: boolean;
  kind?: 'plain' | 'main' | 'danger';
  disabled?: boolean;
  type?: 'button' | 'submit';
}) {
  const mayChange = useMayChange();
  return (
    <button
      type={props.type ?? 'button'}
      className={props.kind ?? 'plain'}
      disabled={!mayChange || props.isBusy === true || props.disabled === true}
      title={mayChange ? undefined : 'Your token may look but not change'}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** Modal: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={onClose}>
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" className="bare" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}

export function Confirm(props: {
  title: string;
  children: ReactNode;
  action: string;
  kind?: 'main' | 'danger';
  isBusy: boolean;
  disabled?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div className="dialog-body">{props.children}</div>
      <div className="dialog-foot">
        <button type="button" onClick={props.onClose}>
          Leave it
        </button>
        <ChangeButton
          kind={props.kind ?? 'main'}
          isBusy={props.isBusy}
          disabled={props.disabled === true}
          onClick={props.onConfirm}
        >
          {props.isBusy ? 'Working …' : props.action}
        </ChangeButton>
      </div>
    </Dialog>
  );
}

/** What a page says while it has nothing to show, or has something old. */
export function LoadState({
  error,
  isLoading,
  hasValue,
}: {
  error: string | undefined;
  isLoading: boolean;
  hasValue: boolean;
}) {
  if (error !== undefined) {
    return (
      <p className="problem" role="alert">
        <Badge tone="bad">{hasValue ? 'Not up to date' : 'Not available'}</Badge> {error}
      </p>
    );
  }
  return isLoading ? <p className="empty">Asking the node …</p> : null;
}
