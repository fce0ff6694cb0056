/** One event: its body (masked, and whole for who may and asks), its payment's history, its other messages and dead letters. */
import { absolute, duration, type Moment } from './format.js';
import { useLoad } from './load.js';
import { Masked, Revealed } from './payload.js';
import { useReveal } from './reveal.js';
import { linkTo } from './router.js';
import { ChangeButton, LoadState, Panel, Table, When } from './ui.js';
import type { EventDetail } from './wire.js';

const MISSING: Readonly<Record<NonNullable<EventDetail['payloadMissing']>, string>> = {
  gone: 'The body was removed: it is older than bodies are kept.',
  away: 'The body is in the archive, and the object store cannot be asked now.',
  damaged: 'The archive does not have the body as it was. The log of the node says more.',
};

export function EventPanel(props: {
  id: string;
  onChoose: (id: string) => void;
  onReplay: () => void;
  onClose: () => void;
}) {
  const { id } = props;
  const path = `/api/events/${encodeURIComponent(id)}`;
  const { value, error, isLoading } = useLoad<EventDetail>(path);
  const { body, button, question } = useReveal(path);

  return (
    <Panel
      title={value === undefined ? 'Event' : `Event ${value.event.endpoint}:${value.event.key}`}
      isDetail
      actions={
        <>
          {value !== undefined && button}
          {value !== undefined && <ChangeButton onClick={props.onReplay}>Replay</ChangeButton>}
          <button type="button" onClick={props.onClose}>
            Close
          </button>
        </>
      }
    >
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value !== undefined && <Facts detail={value} />}
      {value !== undefined && (
        <div className="two">
          <div>
            <h3>Body</h3>
            {body !== undefined && <Revealed text={body.payloadText} base64={body.payload} />}
            {body === undefined && value.payload !== null && <Masked payload={value.payload} />}
            {body === undefined && value.payload === null && (
              <p className="empty">{MISSING[value.payloadMissing ?? 'gone']}</p>
            )}
          </div>
          <Story detail={value} onChoose={props.onChoose} />
        </div>
      )}
      {question}
    </Panel>
  );
}

function Facts({ detail: { event, payment } }: { detail: EventDetail }) {
  return (
    <dl className="facts">
      <dt>Message</dt>
      <dd className="mono">{event.id}</dd>
      <dt>Outcome</dt>
      <dd>
        {event.status}
        {event.reportedStatus !== null && `, reported ${event.reportedStatus}`}
      </dd>
      <dt>Accepted</dt>
      <dd>
        {absolute(event.receivedAt)}, took effect{' '}
        {duration(Math.max(0, event.processedAt - event.receivedAt))} later
      </dd>
      <dt>Deduplicated by</dt>
      <dd className="mono">{event.dedupe}</dd>
      {event.segment !== null && (
        <>
          <dt>Archived in</dt>
          <dd className="mono">{event.segment}</dd>
        </>
      )}
      {event.traceparent !== null && event.traceparent !== '' && (
        <>
          <dt>Trace</dt>
          <dd className="mono">{event.traceparent.split('-')[1] ?? event.traceparent}</dd>
        </>
      )}
      {payment !== null && (
        <>
          <dt>Payment</dt>
          <dd>
            {payment.status}
            {payment.amount !== null && `, ${payment.amount} minor units ${payment.currency ?? ''}`}
          </dd>
        </>
      )}
    </dl>
  );
}

/** Of a payment's history, which other releases may have written. */
interface Step {
  readonly status?: unknown;
  readonly at?: unknown;
  readonly event?: unknown;
}

function Story({ detail, onChoose }: { detail: EventDetail; onChoose: (id: string) => void }) {
  const { payment, others, deadLetters } = detail;
  const steps = (payment?.history ?? []).filter(
    (each): each is Step => typeof each === 'object' && each !== null,
  );
  return (
    <div>
      <h3>History of the payment</h3>
      {steps.length === 0 ? (
        <p className="empty">This event changed no payment.</p>
      ) : (
        <ol className="story">
          {steps.map(({ status, at, event }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a history only grows at its end.
            <li key={index}>
              <b>{String(status ?? 'unknown')}</b> {isMoment(at) && <When at={at} />}{' '}
              {event !== undefined && <span className="note">{String(event)}</span>}
            </li>
          ))}
        </ol>
      )}
      <h3>Other messages of it</h3>
      <Table
        caption="Other messages of the payment"
        empty="None."
        columns={[{ title: 'Message' }, { title: 'Status' }, { title: 'Accepted' }]}
        rows={others.map((event) => ({
          key: event.id,
          cells: [
            <button key="i" type="button" className="link mono" onClick={() => onChoose(event.id)}>
              {event.dedupe}
            </button>,
            event.status,
            <When key="w" at={event.receivedAt} />,
          ],
        }))}
      />
      {deadLetters.length > 0 && (
        <>
          <h3>Dead letters of it</h3>
          <ul className="plain">
            {deadLetters.map(({ envelope, cause, state }) => (
              <li key={envelope.id}>
                <a href={linkTo('dead-letters', envelope.id)}>{cause.code}</a> {state}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function isMoment(value: unknown): value is Moment {
  return typeof value === 'number' || (typeof value === 'string' && !Number.isNaN(Date.parse(value)));
}
